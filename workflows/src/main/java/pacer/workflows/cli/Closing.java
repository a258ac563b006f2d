package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import pacer.activities.publishing.report.FinalSamples;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.StageRecord;
import pacer.activities.run.Verdict;
import pacer.trainer.spec.SpecException;
import pacer.trainer.spec.SpecLoader;
import pacer.workflows.PipelineOutcome;

/** What is said when a run is over: verdict, curve, samples, time, where everything lies, and how to go on. */
final class Closing {
    private static final int SAMPLES = 2;
    private static final String RATE = "optimizer.learningRate=";
    private static final int SAMPLE_LINES = 7;

    private final Hints hints;
    private final Terminal out;
    private final RunFolder folder;
    private final RunRecord run;
    private final RunHistory history;
    private final boolean refused;
    private final PipelineOutcome outcome;

    /**
     * Says it, to people or as JSON.
     *
     * @param outcome how it ended, as the service says: a record that could not be closed still says that it is running
     */
    static void tell(Console console, RunFolder folder, boolean json, Hints hints, PipelineOutcome outcome)
            throws IOException {
        if (json) {
            SequencedMap<String, Object> told = new LinkedHashMap<>();
            told.put("folder", folder.path().toString());
            told.put("run", folder.read());
            if (isOpen(folder.read(), outcome)) {
                told.put("result", outcome.result());
            }
            console.json(told);
        } else {
            new Closing(console, folder, hints, outcome).print();
        }
    }

    private static boolean isOpen(RunRecord run, PipelineOutcome outcome) {
        return outcome.status() == RunStatus.FINISHED && run.status() != RunStatus.FINISHED;
    }

    private Closing(Console console, RunFolder folder, Hints hints, PipelineOutcome outcome) throws IOException {
        this.hints = hints;
        this.outcome = outcome;
        this.refused = outcome.refused();
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
        out.flow(headline(), 2);
        out.println("");
        Table facts = new Table(out, "", "");
        facts.row(quiet("time"), time());
        double speed = history.tokensPerSecond();
        if (Double.isFinite(speed)) {
            facts.row(
                    quiet("speed"),
                    Quantities.count(speed) + " tokens/s"
                            + quiet("  (the steps alone, without validation and checkpoints)"));
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
        if (isOpen(run, outcome)) {
            return out.paint(Tone.WARN, "●") + " "
                    + out.paint(
                            Tone.STRONG,
                            Terminal.harmless(outcome.result().verdict().text()))
                    + "; it is finished and published, but its record does not say so";
        }
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

    /** Worked on the run in all, whoever did and how often. */
    private String time() {
        double total = run.stages().stream().mapToDouble(StageRecord::seconds).sum();
        String parts = run.stages().stream()
                .filter(s -> s.seconds() >= 0.05)
                .map(s -> s.stage().label() + " " + Quantities.duration(s.seconds())
                        + (s.attempts() > 1 ? " in %d attempts".formatted(s.attempts()) : ""))
                .collect(Collectors.joining(", "));
        return Quantities.duration(total) + quiet(parts.isEmpty() ? "" : "  (" + parts + ")");
    }

    private void samples() throws IOException {
        for (String text : texts()) {
            out.println("");
            int room = Math.max(20, out.columns() - 6);
            List<String> lines = text.strip()
                    .lines()
                    .flatMap(line -> Terminal.wrapped(Terminal.harmless(line), room).stream())
                    .toList();
            lines.stream().limit(SAMPLE_LINES).forEach(line -> out.println(quiet("  │ ") + cut(line, room)));
            if (lines.size() > SAMPLE_LINES) {
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

    /** A word may be longer than the line. */
    private static String cut(String line, int room) {
        return line.codePointCount(0, line.length()) <= room
                ? line
                : line.substring(0, line.offsetByCodePoints(0, room - 1)) + "…";
    }

    private Optional<Path> lastCheckpoint() {
        return history.checkpoints().stream()
                .reduce((a, b) -> b)
                .map(c -> folder.path().resolve(c.folder()))
                .filter(Files::isDirectory);
    }

    private void goOn() throws IOException {
        out.println("");
        if (refused) {
            out.println("The same would be refused again: change what is named above, then start the run anew.");
            return;
        }
        if (isOpen(run, outcome)) {
            out.println("Close its record, once it can be written: " + out.paint(Tone.STRONG, hints.resume(run.id())));
            return;
        }
        if (run.status() != RunStatus.FINISHED) {
            out.println("Go on from here: " + out.paint(Tone.STRONG, hints.resume(run.id())));
            return;
        }
        out.println("Go on with");
        suggest(hints.local("sample", run.id()), "more text; --prompt, --temperature");
        Optional<String> other = earlier();
        if (other.isPresent()) {
            suggest(hints.local("compare", other.get(), run.id()), "beside the run before");
        }
        otherRate().ifPresent(words -> suggest(hints.run(words), "change a setting"));
    }

    /** A command to copy, with its reason as a comment where there is room. */
    private void suggest(String words, String reason) {
        String command = "  " + words;
        String comment = "  # " + reason;
        boolean room = command.length() + comment.length() < out.columns();
        out.println(command + (room ? quiet(comment) : ""));
    }

    /** This run's settings but for the learning rate: twice or half of it, whichever its schedule allows. */
    private Optional<List<String>> otherRate() {
        // what its call named; else, as when it was resumed, the settings that lie with it
        List<String> base = hints.spec().isEmpty() ? List.of(Console.shown(folder.preset())) : hints.spec();
        List<String> kept = new ArrayList<>();
        for (int i = 0; i < base.size(); i++) {
            if (base.get(i).equals("--set") && base.get(i + 1).startsWith(RATE)) {
                i++;
            } else {
                kept.add(base.get(i));
            }
        }
        double rate = SpecLoader.read(folder.preset()).optimizer().learningRate();
        return Stream.of(2 * rate, rate / 2)
                .map(other -> RATE + Quantities.rate(other))
                .filter(this::allowed)
                .findFirst()
                .map(set ->
                        Stream.concat(kept.stream(), Stream.of("--set", set)).toList());
    }

    private boolean allowed(String set) {
        try {
            SpecLoader.load(folder.preset().toAbsolutePath().toString(), List.of(), List.of(set));
            return true;
        } catch (SpecException e) {
            return false;
        }
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
