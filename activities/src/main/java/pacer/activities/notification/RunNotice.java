package pacer.activities.notification;

import java.util.List;
import java.util.Map;
import pacer.activities.run.RunStatus;

/**
 * The end of a run whose host cannot tell of it: what its workflow knows.
 *
 * @param reason why it ended as it did, in one line
 * @param losses of validation, the last ones, in the order of steps
 * @param links addresses of the run's pages by name
 */
public record RunNotice(
        String run, String preset, RunStatus status, String reason, List<Loss> losses, Map<String, String> links) {

    /**
     * A validation loss.
     *
     * @param step at which that was the last one measured
     * @param loss nats a token
     */
    public record Loss(int step, double loss) {}

    public RunNotice {
        losses = losses == null ? List.of() : List.copyOf(losses);
        links = links == null ? Map.of() : links;
    }
}
