package pacer.trainer.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/**
 * What is timed: a training step of a model, and for how long. Its JSON is what the children of a benchmark are given, ours
 * and PyTorch's alike.
 *
 * @param model its vocabulary filled in; {@code sequenceLength} is the number of learned positions
 * @param sequences sequences a micro-step
 * @param length tokens a sequence, at most the model's positions
 * @param microSteps forward and backward passes a step
 * @param gradientClip global norm; 0 clips nothing
 * @param products our library of matrix products; PyTorch has its own
 * @param seed of weights and tokens
 * @param steps timed after warm-up
 * @param warmupSeconds the most that warm-up may take
 */
public record BenchCase(
        String name,
        ModelSpec model,
        int sequences,
        int length,
        int microSteps,
        double gradientClip,
        OptimizerSpec optimizer,
        Precision precision,
        int threads,
        Gemms.Kind products,
        int seed,
        int steps,
        double warmupSeconds) {

    /** Steps whose losses are reported; they are the first of the warm-up. */
    public static final int COMPARED_STEPS = 4;

    public BenchCase {
        if (model.vocabulary() < 1) {
            throw new IllegalArgumentException("the model's vocabulary is not filled in");
        }
        if (length < 1 || length > model.sequenceLength()) {
            throw new IllegalArgumentException(
                    "sequences of " + length + " tokens, the model has " + model.sequenceLength() + " positions");
        }
    }

    /** Tokens a step. */
    public int tokens() {
        return sequences * length * microSteps;
    }

    /** One line. */
    public String json() {
        try {
            return BenchJson.MAPPER.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static BenchCase parse(String json) throws JsonProcessingException {
        return BenchJson.MAPPER.readValue(json, BenchCase.class);
    }
}
