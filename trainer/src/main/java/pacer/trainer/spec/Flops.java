package pacer.trainer.spec;

import pacer.trainer.spec.AttentionSpec.Positions;

/** Arithmetic of training. */
public final class Flops {
    private Flops() {}

    /**
     * Of a token's forward and backward pass, as nanoGPT counts (PaLM, appendix B): six for each weight that multiplies, which embeddings
     * that are no head do not, and twelve for each position that attention sees in each of its widths. Of windows the last one is counted.
     *
     * @param parameters all weights and biases of {@code model}
     */
    public static double perToken(ModelSpec model, long parameters) {
        AttentionSpec attention = model.attention();
        long lookedUp = (long) model.vocabulary() * (model.valueTables() + (model.tiedHead() ? 0 : 1))
                + (attention.positions() == Positions.LEARNED ? model.sequenceLength() : 0);
        long multiplied = parameters - lookedUp * model.width();
        int window = attention.windowAt(1);
        int seen = window == 0 ? model.sequenceLength() : Math.min(window, model.sequenceLength());
        return 6.0 * multiplied + 12.0 * model.attentionLayers() * model.width() * seen;
    }
}
