package pacer.trainer.model;

import java.util.List;
import java.util.stream.IntStream;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** The parameters around the blocks, or the gradients of them. The head is in the dtype of products, the rest in F32. */
record Ends(
        Tensor tokenEmbedding, // (V, C)
        Tensor positionEmbedding, // (maxT, C) or null
        List<Tensor> valueEmbeddings, // (V, C) each
        List<Tensor> skipWeights, // (1) each, of the layers from the middle on
        Normalization.Gains finalNorm, // null for RMSNorm
        Tensor head) { // (V, C)

    /** Views of {@code flat}; of {@code products} for the head. */
    static Ends of(Names names, Parameters p, Tensor flat, Tensor products) {
        ModelSpec model = names.model();
        Tensor skips = p.in(flat, names.skipWeights());
        return new Ends(
                p.in(flat, names.tokenEmbedding()),
                p.in(flat, names.positionEmbedding()),
                IntStream.range(0, model.valueTables())
                        .mapToObj(table -> p.in(flat, names.valueEmbedding(table)))
                        .toList(),
                IntStream.range(0, skips == null ? 0 : skips.columns())
                        .mapToObj(i -> skips.slice("skip weight " + i, i, 1))
                        .toList(),
                Normalization.Gains.of(p, flat, names.finalNorm()),
                p.in(products, model.tiedHead() ? names.tokenEmbedding() : names.head()));
    }
}
