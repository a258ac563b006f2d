package pacer.activities.run;

/**
 * Whether a run reached what its preset expects.
 *
 * @param passed null where the preset expects nothing
 * @param validationLoss nats a token, measured after training
 * @param expected the loss at or below which the run passes; null where nothing is expected
 * @param text the verdict in one line
 */
public record Verdict(Boolean passed, double validationLoss, Double expected, String text) {}
