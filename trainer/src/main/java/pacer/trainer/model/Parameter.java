package pacer.trainer.model;

import java.util.List;

/**
 * One parameter tensor of a model.
 *
 * @param name as the reference implementation names it, {@code transformer.h.0.attn.c_attn.weight}
 * @param shape linear weights are (outputs, inputs)
 * @param offset first element in the flat tensor of all parameters
 */
public record Parameter(String name, List<Integer> shape, long offset) {

    /** Number of elements. */
    public long size() {
        return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    }

    /** Whether weight decay applies: to matrices, not to gains and biases, as in nanoGPT and llm.c. */
    public boolean decays() {
        return shape.size() >= 2;
    }
}
