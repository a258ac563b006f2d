package pacer.trainer.model;

import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** The parameters before and after the blocks, or the gradients of them. The head is in the dtype of products, the rest in F32. */
record Ends(
        Tensor tokenEmbedding, // (V, C)
        Tensor positionEmbedding, // (maxT, C)
        Tensor finalNorm, // (C)
        Tensor finalNormBias, // (C) or null
        Tensor head) { // (V, C)

    /** Views of {@code flat}; of {@code products} for the head. */
    static Ends of(ModelSpec model, Parameters p, Tensor flat, Tensor products) {
        return new Ends(
                p.in(flat, "transformer.wte.weight"),
                p.in(flat, "transformer.wpe.weight"),
                p.in(flat, "transformer.ln_f.weight"),
                p.in(flat, "transformer.ln_f.bias"),
                p.in(products, model.tiedHead() ? "transformer.wte.weight" : "lm_head.weight"));
    }
}
