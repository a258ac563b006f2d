package pacer.activities.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;

/**
 * What is known of one stage of a run.
 *
 * @param key hash of everything that determines the stage's result: equal keys, equal results
 * @param started when its first attempt began
 * @param ended when it was done, failed or stopped; null while it works
 * @param seconds time worked on it, over all attempts; of one that was cut off, up to the last time that it was written down
 * @param attempts how often it was begun
 * @param reused whether an earlier result was taken instead of doing it again
 * @param summary one line for people
 * @param result its result as JSON; null until it is done
 */
public record StageRecord(
        Stage stage,
        Status status,
        String key,
        Instant started,
        Instant ended,
        double seconds,
        int attempts,
        boolean reused,
        String summary,
        JsonNode result) {

    /** How a stage stands. */
    public enum Status {
        RUNNING,
        DONE,
        FAILED,
        STOPPED
    }

    /** Its result as {@code type}; null until the stage is done. */
    public <T> T resultAs(Class<T> type) {
        return result == null ? null : RunJson.MAPPER.convertValue(result, type);
    }

    /** This record with {@code worked} more seconds. */
    StageRecord after(double worked) {
        return new StageRecord(stage, status, key, started, ended, seconds + worked, attempts, reused, summary, result);
    }

    boolean doneFor(String otherKey) {
        return status == Status.DONE && key != null && key.equals(otherKey) && result != null;
    }
}
