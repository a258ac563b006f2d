package pacer.workflows.cli;

import java.io.IOException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Progress;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunStatus;
import pacer.activities.run.StageContext;
import pacer.activities.tracking.Tracking;
import pacer.activities.tracking.TrackingResult;
import pacer.activities.tracking.TrackingSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "publish",
        description = {
            "Send a run to MLflow: all of it, or what is not there yet.",
            "MLFLOW_TRACKING_URI names the server; runs made while it does are sent by themselves.%n"
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
        TrackingSettings settings = TrackingSettings.of(console.environment())
                .orElseThrow(
                        () -> new Mistake("no tracking server is named: set MLFLOW_TRACKING_URI to its address, such as"
                                + " http://localhost:5000"));
        RunIndex.Entry entry = run.entry(places, console);
        Terminal shown = output.json() ? console.errors() : console.out();
        TrackingResult sent;
        try (Telling telling = new Telling(shown)) {
            sent = new Tracking(Clock.systemUTC(), settings).publish(entry.folder(), telling);
        }
        if (output.json()) {
            console.json(told(sent));
        } else {
            boolean running = entry.record().status() == RunStatus.RUNNING;
            console.println(sent.run() + ": " + Quantities.grouped(sent.points()) + " points sent"
                    + (sent.model() == null ? "" : ", model " + sent.model())
                    + (running ? "; it has not ended, so this is what there is so far" : ""));
            console.println(sent.url());
        }
        return Exit.OK;
    }

    private static SequencedMap<String, Object> told(TrackingResult sent) {
        SequencedMap<String, Object> told = new LinkedHashMap<>();
        told.put("run", sent.run());
        told.put("mlflowRun", sent.mlflowRun());
        told.put("url", sent.url());
        told.put("points", sent.points());
        told.put("model", sent.model());
        return told;
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
