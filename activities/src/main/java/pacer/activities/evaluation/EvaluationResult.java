package pacer.activities.evaluation;

import pacer.activities.run.StageResult;

/**
 * A measured checkpoint. The texts of the samples lie in the run's folder.
 *
 * @param step optimizer steps of the checkpoint
 * @param validationLoss nats a token
 * @param tokens validation tokens it was measured on
 * @param samples texts written
 * @param validationData identity of the validation data, {@link pacer.trainer.text.DatasetManifest#validationIdentity}; null in results from before it
 *     was recorded
 * @param hellaSwag share of HellaSwag's endings chosen rightly; null where it was not measured
 * @param hellaSwagExamples how many it was asked; likewise
 */
public record EvaluationResult(
        String checkpoint,
        int step,
        double validationLoss,
        long tokens,
        int samples,
        String validationData,
        Double hellaSwag,
        Integer hellaSwagExamples)
        implements StageResult {

    /** One of which nobody knows what it was measured on, without HellaSwag. */
    public EvaluationResult(String checkpoint, int step, double validationLoss, long tokens, int samples) {
        this(checkpoint, step, validationLoss, tokens, samples, null, null, null);
    }

    @Override
    public String summary() {
        return "val loss %.4f over %,d tokens%s, %d %s"
                .formatted(
                        validationLoss,
                        tokens,
                        hellaSwag == null
                                ? ""
                                : ", HellaSwag %.2f%% of %,d".formatted(100 * hellaSwag, hellaSwagExamples),
                        samples,
                        samples == 1 ? "sample" : "samples");
    }
}
