package pacer.activities.training;

import pacer.activities.run.StageResult;

/**
 * A finished training. Checkpoints are folders relative to the run's.
 *
 * @param loss training loss of the last step, nats a token
 * @param validationLoss the last measured; null if never
 * @param bestValidationLoss the least measured; null if never
 * @param seconds time of all optimizer steps
 * @param tokensPerSecond over those
 * @param lastCheckpoint after the last step
 * @param bestCheckpoint of the least validation loss, where kept; else the last
 */
public record TrainingResult(
        int steps,
        double loss,
        Double validationLoss,
        Double bestValidationLoss,
        double seconds,
        double tokensPerSecond,
        String lastCheckpoint,
        String bestCheckpoint)
        implements StageResult {

    @Override
    public String summary() {
        return "%,d steps, loss of the last %.4f%s, %,.0f tokens/s in all"
                .formatted(
                        steps,
                        loss,
                        validationLoss == null ? "" : ", val loss %.4f".formatted(validationLoss),
                        tokensPerSecond);
    }
}
