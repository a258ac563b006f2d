package pacer.workflows.cli;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.StageRecord;
import pacer.trainer.event.TrainingEvent;

/** What a worker says of its work: a line for what ends or goes wrong, with the time and the run. */
final class WorkerLog {
    private final Console console;

    WorkerLog(Console console) {
        this.console = console;
    }

    void tell(String run, RunUpdate update) {
        String line =
                switch (update) {
                    case RunUpdate.StageStarted started -> started.stage().title() + " begins";
                    case RunUpdate.StageEnded ended -> ended(ended.record());
                    case RunUpdate.Notice notice -> "! " + notice.text();
                    case RunUpdate.Trained(TrainingEvent.Notice e) -> "· " + e.text();
                    case RunUpdate.Trained(TrainingEvent.Skipped e) ->
                        "! step " + Quantities.grouped(e.step()) + " without update: " + e.reason();
                    case RunUpdate.Trained(TrainingEvent.Validated e) ->
                        "step " + Quantities.grouped(e.step()) + "  val " + Quantities.loss(e.loss());
                    case RunUpdate.Trained(TrainingEvent.HellaSwag e) ->
                        "step %s  HellaSwag %.2f%%".formatted(Quantities.grouped(e.step()), 100 * e.accuracy());
                    case RunUpdate.Trained _,
                            RunUpdate.Evaluated _,
                            RunUpdate.Linked _,
                            RunUpdate.Advanced _,
                            RunUpdate.Opened _,
                            RunUpdate.Closed _,
                            RunUpdate.Stalled _ -> "";
                };
        if (!line.isEmpty()) {
            print(run + "  " + line);
        }
    }

    /** What concerns no run alone. */
    void complain(String text) {
        print("! " + text);
    }

    private void print(String line) {
        // ISO 8601 in UTC: whoever collects logs of several hosts sorts them
        String time = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        console.println(time + "  " + Terminal.harmless(line));
    }

    private static String ended(StageRecord record) {
        String mark =
                switch (record.status()) {
                    case DONE -> "✓ ";
                    case FAILED -> "✗ ";
                    default -> "● ";
                };
        return mark + record.stage().title() + "  " + Quantities.duration(record.seconds())
                + (record.summary() == null ? "" : "  " + record.summary());
    }
}
