package pacer.workflows.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageRecord;
import pacer.activities.run.Verdict;
import pacer.trainer.event.TrainingEvent;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "runs", description = "List the runs, the newest first.")
final class RunsCommand implements Callable<Integer> {
    private static final String INTERRUPTED = "interrupted";

    /** For a worker, a slot, or to be resumed after a pause: which one, only the service knows. */
    private static final String WAITING = "waiting";

    /** Its training, by somebody: the update {@code resume} goes on with it. */
    private static final String PAUSED = "paused";

    /** Beyond what a stage at work waits until it writes its time down, what happened since is not known. */
    private static final Duration SEEN = Duration.ofSeconds(15);

    private static final DateTimeFormatter MINUTE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm", Locale.ROOT);

    private static final int LONGEST_REASON = 100;

    @Option(names = "--all", description = "All of them; without it, the newest 20.")
    private boolean all;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    RunsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        Path folder = places.existing(console.environment());
        List<RunIndex.Entry> entries = new RunIndex(folder)
                .list(id -> console.complain("run " + id + " is left out: its run.json cannot be read"));
        List<RunIndex.Entry> shown = all ? entries : entries.stream().limit(20).toList();
        if (output.json()) {
            console.json(shown.stream().map(RunIndex.Entry::record).toList());
        } else if (entries.isEmpty()) {
            console.println("No runs in " + Console.shown(folder) + " yet; begin with: " + console.program() + " run");
        } else {
            list(shown);
            if (shown.size() < entries.size()) {
                console.println("… and " + (entries.size() - shown.size()) + " older ones: --all");
            }
        }
        return Exit.OK;
    }

    private void list(List<RunIndex.Entry> entries) throws IOException {
        Terminal out = console.out();
        Table table = new Table(out, "", "RUN", "STATUS", ">VAL LOSS", ">TIME", ">AGE", "NOTE");
        for (RunIndex.Entry entry : entries) {
            RunRecord run = entry.record();
            Verdict verdict = run.verdict();
            table.row(
                    mark(out, run),
                    out.paint(Tone.STRONG, run.id()),
                    status(entry),
                    verdict == null ? "" : Quantities.loss(verdict.validationLoss()),
                    Quantities.duration(seconds(entry)),
                    age(run.created()),
                    Stream.of(run.note(), reached(entry), reason(entry))
                            .filter(Objects::nonNull)
                            .map(Terminal::harmless)
                            .collect(Collectors.joining("; ")));
        }
        table.print();
    }

    /** What {@code run.json} says, or that nobody works on it any more. */
    private static String status(RunIndex.Entry entry) {
        RunStatus status = entry.record().status();
        if (status == RunStatus.RUNNING && abandoned(entry.folder())) {
            return !entry.folder().takenForWorkflow()
                    ? INTERRUPTED
                    : pausedSince(entry.record()).isPresent() ? PAUSED : WAITING;
        }
        return status.name().toLowerCase(Locale.ROOT);
    }

    /** When the training of a run that waits in a service was stopped on request; empty where something else is waited for. */
    private static Optional<Instant> pausedSince(RunRecord run) {
        return run.stage(Stage.TRAIN)
                .filter(stage -> stage.status() == StageRecord.Status.STOPPED)
                .filter(stage -> Stream.of(StageContext.Stop.REQUESTED, StageContext.Stop.PAUSED)
                        .anyMatch(stop -> stop.told().equals(stage.summary())))
                .map(StageRecord::ended);
    }

    /** Time worked on it so far: what its record says, and what passed since that was written, if a stage is at work. */
    private static double seconds(RunIndex.Entry entry) throws IOException {
        double written = entry.record().secondsSpent();
        boolean working = status(entry).equals("running")
                && entry.record().stages().stream().anyMatch(stage -> stage.status() == StageRecord.Status.RUNNING);
        if (!working) {
            return written;
        }
        Instant then = Files.getLastModifiedTime(entry.folder().recordFile()).toInstant();
        Duration since = Duration.between(then, Instant.now());
        return written + (since.isNegative() ? 0 : Math.min(since.toMillis(), SEEN.toMillis()) / 1e3);
    }

    /** How far the training of an unfinished run came; null where it told nothing. */
    private static String reached(RunIndex.Entry entry) throws IOException {
        if (entry.record().status() == RunStatus.FINISHED) {
            return null;
        }
        RunHistory history = RunHistory.readEnd(entry.folder().events());
        return history.steps().isEmpty()
                ? null
                : "step %s, loss %s"
                        .formatted(
                                Quantities.grouped(history.steps().getLast().step()),
                                Quantities.loss(history.steps().getLast().loss()));
    }

    private static boolean abandoned(RunFolder folder) {
        try {
            return !folder.leased();
        } catch (UncheckedIOException e) {
            return false; // another user's: its record is believed
        }
    }

    /** Why it is not finished: what its record says or, where it was cut off, the trainer's last word; null if nothing does. */
    private static String reason(RunIndex.Entry entry) throws IOException {
        RunRecord run = entry.record();
        String reason = run.failure();
        if (reason == null && status(entry).equals(INTERRUPTED)) {
            reason = RunHistory.readEnd(entry.folder().events())
                    .failed()
                    .map(TrainingEvent.Failed::reason)
                    .orElse(null);
        }
        if (reason == null && status(entry).equals(PAUSED)) {
            return "since %s; go on: temporal workflow update execute --workflow-id %s --name resume (after that it waits for its host)"
                    .formatted(
                            MINUTE.format(pausedSince(run).orElseThrow().atZone(ZoneId.systemDefault())),
                            run.workflowId());
        }
        if (reason == null && status(entry).equals(WAITING)) {
            reason = "in a Temporal service; its page there says for what";
        }
        return reason == null || reason.codePointCount(0, reason.length()) <= LONGEST_REASON
                ? reason
                : reason.substring(0, reason.offsetByCodePoints(0, LONGEST_REASON)) + "…";
    }

    private static String mark(Terminal out, RunRecord run) {
        Boolean passed = run.verdict() == null ? null : run.verdict().passed();
        if (run.status() == RunStatus.FAILED || Boolean.FALSE.equals(passed)) {
            return out.paint(Tone.BAD, "✗");
        }
        return run.status() == RunStatus.FINISHED ? out.paint(Tone.GOOD, "✓") : out.paint(Tone.WARN, "●");
    }

    private static String age(Instant created) {
        long seconds = Math.max(0, Duration.between(created, Instant.now()).toSeconds());
        if (seconds < 60) {
            return "now";
        }
        return seconds < 3600
                ? seconds / 60 + " min"
                : seconds < 86_400 ? seconds / 3600 + " h" : seconds / 86_400 + " d";
    }
}
