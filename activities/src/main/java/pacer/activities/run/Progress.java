package pacer.activities.run;

import java.time.Instant;

/**
 * How far the stage at work is: small enough for a heartbeat. What is not known is null.
 *
 * @param fraction done, 0 to 1
 * @param text what it is doing, for people
 * @param loss training loss, nats a token: a running mean over steps
 * @param validationLoss the last measured, nats a token
 * @param hellaSwag share of HellaSwag's endings chosen rightly, 0 to 1, the last measured; null also of a worker from before there was one
 * @param etaSeconds seconds that are left of the stage
 * @param doing what of a training takes long at the moment, and how far that is, for people
 * @param spentSeconds that the run's stages have taken, over all attempts: what a budget counts
 */
public record Progress(
        Stage stage,
        Instant time,
        Double fraction,
        String text,
        Integer step,
        Integer totalSteps,
        Double loss,
        Double validationLoss,
        Double hellaSwag,
        Double learningRate,
        Double tokensPerSecond,
        Double etaSeconds,
        String doing,
        Double spentSeconds) {

    /** The same, while it does this. */
    public Progress doing(String what) {
        return with(what, spentSeconds);
    }

    /** What a training that waits to be resumed does. */
    public static final String PAUSED = "paused";

    /** The same of a training that is paused: at no speed, and with no end in sight. */
    public Progress atRest() {
        return new Progress(
                stage,
                time,
                fraction,
                text,
                step,
                totalSteps,
                loss,
                validationLoss,
                hellaSwag,
                learningRate,
                null,
                null,
                PAUSED,
                spentSeconds);
    }

    /** The same of a run whose stages have taken this long. */
    public Progress after(double spent) {
        return with(doing, spent);
    }

    private Progress with(String what, Double spent) {
        return new Progress(
                stage,
                time,
                fraction,
                text,
                step,
                totalSteps,
                loss,
                validationLoss,
                hellaSwag,
                learningRate,
                tokensPerSecond,
                etaSeconds,
                what,
                spent);
    }

    /** Progress of a stage that is no training. */
    public static Progress of(Stage stage, Instant time, Double fraction, String text) {
        return of(stage, time, fraction, text, null);
    }

    /** The same, of which so many seconds are left. */
    public static Progress of(Stage stage, Instant time, Double fraction, String text, Double etaSeconds) {
        return new Progress(
                stage, time, fraction, text, null, null, null, null, null, null, null, etaSeconds, null, null);
    }
}
