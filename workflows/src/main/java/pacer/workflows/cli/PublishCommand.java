package pacer.workflows.cli;

import java.io.IOException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Progress;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunStatus;
import pacer.activities.run.StageContext;
import pacer.activities.store.Store;
import pacer.activities.store.StoredRuns;
import pacer.activities.tracking.Tracking;
import pacer.activities.tracking.TrackingResult;
import pacer.activities.tracking.TrackingSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "publish",
        description = {
            "Send a run to MLflow and to the store: all of it, or what is not there yet.",
            "MLFLOW_TRACKING_URI and PACER_STORE name them; runs made while they do are sent by themselves.%n"
        })
final class PublishCommand implements Callable<Integer> {
    @Mixin
    private RunParameter run;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    PublishCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Optional<TrackingSettings> tracking = TrackingSettings.of(console.environment());
        Optional<Store> store = Store.of(console.environment());
        if (tracking.isEmpty() && store.isEmpty()) {
            throw new Mistake(
                    "neither a tracking server nor a store is named: set MLFLOW_TRACKING_URI to its address, such as"
                            + " http://localhost:5000, or PACER_STORE to s3://BUCKET/PREFIX");
        }
        RunIndex.Entry entry = run.entry(places, console);
        boolean running = entry.record().status() == RunStatus.RUNNING;
        SequencedMap<String, Object> told = new LinkedHashMap<>();
        told.put("run", entry.record().id());
        boolean failed = false;
        try (Telling telling = new Telling(output.json() ? console.errors() : console.out())) {
            if (tracking.isPresent()) {
                TrackingResult sent = new Tracking(Clock.systemUTC(), tracking.get()).publish(entry.folder(), telling);
                told.put("mlflowRun", sent.mlflowRun());
                told.put("url", sent.url());
                told.put("points", sent.points());
                told.put("model", sent.model());
                say(sent.run() + ": " + Quantities.grouped(sent.points()) + " points sent"
                        + (sent.model() == null ? "" : ", model " + sent.model())
                        + (running ? "; it has not ended, so this is what there is so far" : ""));
                say(sent.url());
            }
            if (store.isPresent()) {
                if (running && entry.folder().leased()) {
                    throw new Mistake("run " + entry.record().id()
                            + " is being worked on: who works on it stores its checkpoints");
                }
                boolean whole = new StoredRuns(store.get()).publish(entry.folder(), telling);
                told.put("store", store.get().place().toString());
                told.put("stored", whole);
                say(store.get().place() + (whole ? " has its checkpoints and its record" : " does not have all of it"));
                failed = !whole;
            }
        }
        if (output.json()) {
            console.json(told);
        }
        return failed ? Exit.FAILED : Exit.OK;
    }

    private void say(String line) {
        if (!output.json()) {
            console.println(line);
        }
    }

    /** Shows how far it is, where that is a terminal. */
    private record Telling(Terminal terminal) implements StageContext, AutoCloseable {
        @Override
        public void progress(Progress newest) {
            if (terminal.interactive()) {
                terminal.out().print("\r\033[K" + newest.text());
                terminal.out().flush();
            }
        }

        @Override
        public void notice(String text) {
            close();
            terminal.println(text);
        }

        @Override
        public Stop stop() {
            return Stop.NONE;
        }

        @Override
        public void close() {
            if (terminal.interactive()) {
                terminal.out().print("\r\033[K");
                terminal.out().flush();
            }
        }
    }
}
