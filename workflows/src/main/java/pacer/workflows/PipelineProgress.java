package pacer.workflows;

import java.util.List;
import java.util.Map;
import pacer.activities.run.Progress;
import pacer.activities.run.Stage;

/**
 * How a run stands: the answer to the query {@code progress}.
 *
 * @param run its id; null until it is opened
 * @param stages those begun, in order
 * @param now the newest of the stage at work; null when it has said nothing yet
 * @param paused whether training waits to be resumed
 * @param links addresses of other pages of the run, by name; null in answers of old
 * @param notice what a person should know of the end of a run whose stages are done; mostly null, and in answers of old
 * @param result what the run came to; null until it is judged, and in answers of old
 * @param host that works on it; null until it is opened, and in answers of old
 */
public record PipelineProgress(
        String run,
        List<StageLine> stages,
        Progress now,
        boolean paused,
        Map<String, String> links,
        String notice,
        PipelineResult result,
        String host) {

    /**
     * One stage.
     *
     * @param state {@code running}, {@code done}, {@code failed} or {@code stopped}
     * @param summary what it came to; null while it runs
     * @param seconds from its begin to its end, without pauses; null while it runs
     */
    public record StageLine(Stage stage, String state, String summary, Double seconds) {}
}
