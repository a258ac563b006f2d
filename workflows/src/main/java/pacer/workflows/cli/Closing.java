package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import pacer.activities.publishing.report.FinalSamples;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.StageRecord;
import pacer.activities.run.Verdict;

/** What is said when a run is over: verdict, curve, samples, time, where everything lies, and how to go on. */
final class Closing {
    private static final int SAMPLES = 2;
    private static final int SAMPLE_LINES = 7;

    private final Console console;
    private final Terminal out;
    private final RunFolder folder;
    private final RunRecord run;
    private final RunHistory history;
    private final boolean refused;

    /**
     * Says it, to people or as JSON.
     *
     * @param refused whether it failed by what was given, so that going on comes to the same
     */
    static void tell(Console console, RunFolder folder, boolean json, boolean refused) throws IOException {
        if (json) {
            SequencedMap<String, Object> told = new LinkedHashMap<>();
            told.put("folder", folder.path().toString());
            told.put("run", folder.read());
            console.json(told);
        } else {
            new Closing(console, folder, refused).print();
        }
    }

    private Closing(Console console, RunFolder folder, boolean refused) throws IOException {
        this.refused = refused;
        this.console = console;
        this.out = console.out();
        this.folder = folder;
        this.run = folder.read();
        this.history = RunHistory.read(folder.events());
    }

    private void print() throws IOException {
        if (run.status() == RunStatus.FINISHED) {
            LossCurves.print(out, List.of(history));
            samples();
        }
        out.println("");
        out.println(headline());
        out.println("");
        Table facts = new Table(out, "", "");
        facts.row(quiet("time"), time());
        double speed = history.tokensPerSecond();
        if (Double.isFinite(speed)) {
            facts.row(quiet("speed"), Quantities.count(speed) + " tokens/s");
        }
        if (Files.exists(folder.report())) {
            facts.row(quiet("report"), Console.shown(folder.report()));
        }
        lastCheckpoint().ifPresent(c -> facts.row(quiet("checkpoint"), Console.shown(c)));
        if (run.status() == RunStatus.FAILED && Files.exists(folder.trainerLog())) {
            facts.row(quiet("log"), Console.shown(folder.trainerLog()));
        }
        facts.row(quiet("all of it"), Console.shown(folder.path()));
        facts.print();
        goOn();
    }

    private String headline() {
        Verdict verdict = run.verdict();
        String failure = run.failure() == null ? "" : ": " + Terminal.harmless(run.failure());
        return switch (run.status()) {
            case FINISHED -> {
                Boolean passed = verdict == null ? null : verdict.passed();
                Tone tone = Boolean.FALSE.equals(passed) ? Tone.BAD : Tone.GOOD;
                String text = verdict == null ? "finished" : Terminal.harmless(verdict.text());
                yield out.paint(tone, Boolean.FALSE.equals(passed) ? "✗" : "✓") + " " + out.paint(Tone.STRONG, text);
            }
            case FAILED -> out.paint(Tone.BAD, "✗") + " " + out.paint(Tone.STRONG, "failed" + failure);
            case STOPPED ->
                out.paint(Tone.WARN, "●") + " "
                        + out.paint(Tone.STRONG, failure.isEmpty() ? "stopped" : failure.substring(2));
            case RUNNING -> out.paint(Tone.WARN, "●") + " " + out.paint(Tone.STRONG, "still running");
        };
    }

    private String time() {
        double total = run.stages().stream().mapToDouble(StageRecord::seconds).sum();
        String parts = run.stages().stream()
                .filter(s -> s.seconds() >= 0.05)
                .map(s -> s.stage().label() + " " + Quantities.duration(s.seconds()))
                .collect(Collectors.joining(", "));
        return Quantities.duration(total) + quiet(parts.isEmpty() ? "" : "  (" + parts + ")");
    }

    private void samples() throws IOException {
        for (String text : texts()) {
            out.println("");
            text.strip().lines().limit(SAMPLE_LINES).forEach(line -> out.println(quiet("  │ ") + cut(line)));
            if (text.strip().lines().count() > SAMPLE_LINES) {
                out.println(quiet("  │ …"));
            }
        }
    }

    private List<String> texts() throws IOException {
        List<String> texts = FinalSamples.read(folder, SAMPLES);
        if (texts.isEmpty() && !history.samples().isEmpty()) {
            return List.of(history.samples().getLast().text());
        }
        return texts;
    }

    private String cut(String line) {
        String safe = Terminal.harmless(line);
        int room = Math.max(20, out.columns() - 6);
        return safe.codePointCount(0, safe.length()) <= room
                ? safe
                : safe.substring(0, safe.offsetByCodePoints(0, room - 1)) + "…";
    }

    private Optional<Path> lastCheckpoint() {
        return history.checkpoints().stream()
                .reduce((a, b) -> b)
                .map(c -> folder.path().resolve(c.folder()))
                .filter(Files::isDirectory);
    }

    private void goOn() throws IOException {
        out.println("");
        String program = console.program();
        if (refused) {
            out.println("The same would be refused again: change what is named above, then start the run anew.");
            return;
        }
        if (run.status() != RunStatus.FINISHED) {
            out.println("Go on from here: " + out.paint(Tone.STRONG, program + " resume " + run.id()));
            return;
        }
        out.println("Go on with");
        suggest("sample " + run.id(), "more text; --prompt, --temperature");
        Optional<String> other = earlier();
        if (other.isPresent()) {
            suggest("compare " + other.get() + " " + run.id(), "beside the run before");
        }
        suggest("run " + run.preset() + " --set optimizer.learningRate=2e-3", "change a setting");
    }

    /** A command to copy, with its reason as a comment where there is room. */
    private void suggest(String words, String reason) {
        String command = "  " + console.program() + " " + words;
        String comment = "  # " + reason;
        boolean room = command.length() + comment.length() < out.columns();
        out.println(command + (room ? quiet(comment) : ""));
    }

    /** The finished run of the same preset before this one. */
    private Optional<String> earlier() throws IOException {
        return new RunIndex(folder.path().toAbsolutePath().getParent())
                .list().stream()
                        .map(RunIndex.Entry::record)
                        .filter(r -> r.preset().equals(run.preset()) && r.status() == RunStatus.FINISHED)
                        .filter(r -> r.created().isBefore(run.created()))
                        .map(RunRecord::id)
                        .findFirst();
    }

    private String quiet(String text) {
        return out.paint(Tone.QUIET, text);
    }
}
