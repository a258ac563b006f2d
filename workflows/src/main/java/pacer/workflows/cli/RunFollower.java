package pacer.workflows.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunUpdate;
import pacer.workflows.Pipeline;
import pacer.workflows.PipelineOptions;
import pacer.workflows.PipelineOutcome;
import pacer.workflows.RunHandle;
import pacer.workflows.Tracked;

/**
 * Starts a run and shows it to its end; what {@code run} and {@code resume} have in common. To be made first of all, before settings
 * are read: a trainer starts meanwhile.
 */
final class RunFollower implements AutoCloseable {
    /** How long a run that is over waits for MLflow to take something more of it. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(5);

    private final Console console;
    private final Pipeline.Prepared prepared;
    private final boolean json;
    private final boolean namedService;

    RunFollower(Console console, PlaceOptions places, ServiceOption service, OutputOption output) throws IOException {
        this.console = console;
        this.prepared = Pipeline.prepare(
                new PipelineOptions(places.writable(console.environment()), service.temporal(), console.environment()));
        this.json = output.json();
        this.namedService = service.temporal() != null;
    }

    /** Whether service and worker will be of this process, and paths of this machine. */
    boolean here() {
        return prepared.here();
    }

    /** Starts a run on a pipeline. */
    @FunctionalInterface
    interface Start {
        RunHandle on(Pipeline pipeline) throws IOException;
    }

    /**
     * Runs to the end; the exit code.
     *
     * @param hints commands to go on with afterwards
     */
    int follow(Hints hints, Start start) throws IOException, InterruptedException {
        Terminal shown = json ? console.errors() : console.out();
        try (Pipeline pipeline = prepared.open()) {
            RunHandle run = start.on(pipeline);
            RunView view = new RunView(shown, System::nanoTime).ticking();
            shown.size().follow();
            view.say(shown.paint(Tone.STRONG, run.id())
                    + (run.resumed() ? "  goes on where it stopped" : "")
                    + shown.paint(Tone.QUIET, "  " + pipeline.announcement()));
            page(pipeline, run.id()).ifPresent(page -> view.accept(new RunUpdate.Linked("Temporal", page)));
            run.notice().ifPresent(view::notice);
            PipelineOutcome outcome;
            try (StopSignals _ = signals(view, run, hints)) {
                outcome = run.follow(view);
            } finally {
                view.close();
            }
            int code = close(run, outcome, hints);
            if (run.folder().isPresent()) {
                tellTracking(pipeline.tracked(run.folder().get()), hints.local("publish", run.id()));
            }
            return code;
        }
    }

    /** Of a service that was named for this command alone the environment knows no UI. */
    private Optional<String> page(Pipeline pipeline, String id) {
        return namedService ? Optional.empty() : pipeline.page(id, console.environment());
    }

    private static StopSignals signals(RunView view, RunHandle run, Hints hints) {
        String again = hints.resume(run.id());
        return run.local()
                ? StopSignals.listen(view::say, run::stop, again)
                : StopSignals.listenFromAfar(
                        view::say, run::stop, number -> Runtime.getRuntime().halt(128 + number), again);
    }

    private int close(RunHandle run, PipelineOutcome outcome, Hints hints) throws IOException {
        RunFolder folder = run.folder().orElse(null);
        if (folder != null) {
            Closing.tell(console, folder, json, hints, outcome);
        } else if (json) {
            console.json(told(outcome));
        } else {
            console.println("");
            console.println(said(outcome) + "; its folder is on the worker's machine");
        }
        return switch (outcome.status()) {
            case FINISHED -> Boolean.FALSE.equals(outcome.result().verdict().passed()) ? Exit.MISSED : Exit.OK;
            case STOPPED -> Exit.STOPPED;
            case FAILED, RUNNING -> outcome.refused() ? Exit.USAGE : Exit.FAILED;
        };
    }

    /** The worker ends with this process: what MLflow has not yet, it gets now or by a command. */
    private void tellTracking(Optional<Tracked> tracked, String publish) throws IOException, InterruptedException {
        if (tracked.isEmpty()) {
            return;
        }
        boolean all = tracked.get().awaitAll(LAST_WORDS);
        Optional<String> page = tracked.get().page();
        if (!all) {
            console.err().println("not all of it is in MLflow yet: " + publish + " sends the rest");
        } else if (!json && page.isPresent()) {
            console.println("");
            console.println("In MLflow: " + page.get());
        }
    }

    private static String said(PipelineOutcome outcome) {
        return outcome.result() != null
                ? outcome.result().verdict().text()
                : said(outcome.status().name().toLowerCase(Locale.ROOT), outcome.reason());
    }

    /** Some reasons begin with the status that they are the reason of. */
    private static String said(String status, String reason) {
        return String.valueOf(reason).startsWith(status) ? reason : status + ": " + reason;
    }

    private static SequencedMap<String, Object> told(PipelineOutcome outcome) {
        SequencedMap<String, Object> told = new LinkedHashMap<>();
        told.put("id", outcome.run());
        told.put("status", outcome.status());
        told.put("result", outcome.result());
        told.put("failure", outcome.reason());
        told.put("refused", outcome.refused());
        return told;
    }

    @Override
    public void close() {
        prepared.close();
    }
}
