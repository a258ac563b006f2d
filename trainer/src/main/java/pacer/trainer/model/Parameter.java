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

    private static final List<String> EMBEDDINGS =
            List.of("transformer.wte.", "transformer.wpe.", "embed.", "value_embeds.");

    /** Number of elements. */
    public long size() {
        return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    }

    /** What a parameter is to the model: update rules and their rates go by it. */
    public enum Role {
        /** Of tokens, positions and values; a tied head is one too. */
        EMBEDDING,
        HEAD,
        /** Weights of the blocks' linear layers. */
        MATRIX,
        /** Gains, biases and whatever else has one dimension. */
        SCALAR
    }

    /** What it is to the model. */
    public Role role() {
        if (EMBEDDINGS.stream().anyMatch(name::startsWith)) {
            return Role.EMBEDDING;
        }
        return shape.size() < 2 ? Role.SCALAR : name.startsWith("lm_head.") ? Role.HEAD : Role.MATRIX;
    }

    /** Whether weight decay applies: to matrices, not to gains and biases, as in nanoGPT and llm.c. */
    public boolean decays() {
        return shape.size() >= 2;
    }
}
