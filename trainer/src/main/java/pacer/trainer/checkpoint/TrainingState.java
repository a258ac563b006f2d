package pacer.trainer.checkpoint;

import java.io.IOException;
import java.util.List;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.ModelSpec;

/**
 * What a training needs to go on, beside its tensors. All randomness is counter-based, so counts are the whole random state.
 *
 * @param step optimizer steps taken, skipped ones included
 * @param samples windows of the data consumed, over all ranks
 * @param specHash hash of the resolved run spec
 * @param gitCommit commit of the code, or null when unknown
 * @param validationLoss nats a token at this step, or null when not measured or not finite
 * @param bestValidationLoss lowest validation loss of the run so far, or null
 * @param tokenizer how text became tokens
 * @param vocabulary every character in the order of its token, or null for a tokenizer known by name
 * @param model the network, its vocabulary filled in
 * @param worldSize ranks that trained together
 * @param skips the guard against non-finite steps
 * @param dataset identity of the token shards trained on, or null in a checkpoint from before it was recorded
 * @param engine what computed, as a line for people, or null in a checkpoint from before it was recorded
 * @param window tokens that a position saw at this step, 0: all; or null in a checkpoint from before it was recorded
 * @param recent what outliers are told by, or null in a checkpoint from before it was recorded
 * @param trainingHash hash of the settings that matter however the work is divided ({@link pacer.trainer.spec.SpecHash#ofTraining}), or null in a
 *     checkpoint from before it was recorded
 * @param brokenOff true where a stop has broken off what was due after this step, which is done anew; else null
 */
public record TrainingState(
        int step,
        long samples,
        String specHash,
        String gitCommit,
        Double validationLoss,
        Double bestValidationLoss,
        DatasetSpec.Tokenizer tokenizer,
        String vocabulary,
        ModelSpec model,
        int worldSize,
        Skips skips,
        String dataset,
        String engine,
        Integer window,
        Recent recent,
        String trainingHash,
        Boolean brokenOff) {

    /**
     * The latest steps.
     *
     * @param losses training losses, the oldest first
     * @param gradientNorms likewise
     */
    public record Recent(List<Double> losses, List<Double> gradientNorms) {
        public static final Recent NONE = new Recent(List.of(), List.of());

        public Recent {
            losses = List.copyOf(losses);
            gradientNorms = List.copyOf(gradientNorms);
        }
    }

    /**
     * Steps whose update was not applied.
     *
     * @param inARow the latest steps, if they were skipped
     * @param inAll of the whole run
     */
    public record Skips(int inARow, long inAll) {
        public static final Skips NONE = new Skips(0, 0);
    }

    public TrainingState {
        if (step < 0 || samples < 0 || worldSize < 1 || model == null || tokenizer == null || skips == null) {
            throw new IllegalArgumentException(
                    "a training state needs step >= 0, samples >= 0, worldSize >= 1, tokenizer, model and"
                            + " skips; got step " + step + ", samples " + samples + ", worldSize " + worldSize
                            + ", tokenizer "
                            + tokenizer + ", model " + model + ", skips " + skips);
        }
        if ((vocabulary != null) != (tokenizer == DatasetSpec.Tokenizer.CHARACTERS)) {
            throw new IllegalArgumentException(
                    "the vocabulary belongs in the state exactly when tokens are characters");
        }
        validationLoss = finiteOrNull(validationLoss);
        bestValidationLoss = finiteOrNull(bestValidationLoss);
    }

    /** As one line of JSON. */
    public byte[] toJson() throws IOException {
        return Json.MAPPER.writeValueAsBytes(this);
    }

    /** Reads {@link #toJson}'s. */
    public static TrainingState fromJson(byte[] json) throws IOException {
        return Json.MAPPER.readValue(json, TrainingState.class);
    }

    private static Double finiteOrNull(Double value) {
        return value != null && Double.isFinite(value) ? value : null;
    }
}
