package pacer.activities.sweep;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Locale;

/**
 * How one run of a sweep ended.
 *
 * @param number its place in the sweep's order, from 0
 * @param point its point's place, from 0
 * @param run its id
 * @param validationLoss nats a token, of its evaluation; null where it failed
 * @param steps that it trained
 * @param tokensPerSecond over its steps
 * @param spentSeconds of all its stages
 * @param reason why it was stopped, or failed; null where it is finished
 * @param training some of its training losses, each a mean of neighbours
 * @param validations some of its validation losses, or all
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SweepRun(
        int number,
        int point,
        long seed,
        String run,
        State state,
        Double validationLoss,
        int steps,
        double tokensPerSecond,
        double spentSeconds,
        String reason,
        List<Mark> training,
        List<Mark> validations) {

    /** How it ended. */
    public enum State {
        /** It trained all its steps. */
        FINISHED,
        /** The median rule stopped it; what it reached is no loss of its point. */
        STOPPED,
        FAILED
    }

    public SweepRun {
        training = training == null ? List.of() : List.copyOf(training);
        validations = validations == null ? List.of() : List.copyOf(validations);
    }

    /** This one as stopped for {@code why}, if it did not come to its end before. */
    public SweepRun stopped(String why, int wholeSteps) {
        return why == null || steps >= wholeSteps
                ? this
                : new SweepRun(
                        number,
                        point,
                        seed,
                        run,
                        State.STOPPED,
                        validationLoss,
                        steps,
                        tokensPerSecond,
                        spentSeconds,
                        why,
                        training,
                        validations);
    }

    /** This one without curves, for who asks often. */
    public SweepRun brief() {
        return new SweepRun(
                number,
                point,
                seed,
                run,
                state,
                validationLoss,
                steps,
                tokensPerSecond,
                spentSeconds,
                reason,
                null,
                null);
    }

    /** What became of it, in a few words. */
    public String told() {
        return switch (state) {
            case FINISHED ->
                String.format(Locale.ROOT, "val loss %.4f, %,.0f tokens/s", validationLoss, tokensPerSecond);
            case STOPPED -> String.format(Locale.ROOT, "stopped early at step %,d: %s", steps, reason);
            case FAILED -> "failed: " + reason;
        };
    }
}
