package pacer.trainer.model;

import java.util.LinkedHashMap;
import java.util.Map;
import pacer.trainer.spec.AttentionSpec.Positions;
import pacer.trainer.spec.ModelSpec;

/**
 * What parameters are called in checkpoints: as in nanoGPT where positions are learned, as in modded-nanogpt from its record 16 on where they are rotary. Names of linear
 * layers and norms lack {@code .weight} and {@code .bias}.
 */
record Names(ModelSpec model, boolean nanoGpt) {

    static Names of(ModelSpec model) {
        return new Names(model, model.attention().positions() == Positions.LEARNED);
    }

    String tokenEmbedding() {
        return nanoGpt ? "transformer.wte.weight" : "embed.weight";
    }

    String positionEmbedding() {
        return "transformer.wpe.weight";
    }

    private String block(int layer) {
        return (nanoGpt ? "transformer.h." : "blocks.") + layer + ".";
    }

    String norm1(int layer) {
        return block(layer) + "ln_1";
    }

    /** In one linear layer or three, with the number of outputs of each. Either way their rows follow one another. */
    Map<String, Integer> queriesKeysValues(int layer) {
        Map<String, Integer> outputs = new LinkedHashMap<>();
        if (nanoGpt) {
            outputs.put(block(layer) + "attn.c_attn", 3 * model.width());
        } else {
            for (String each : new String[] {"q", "k", "v"}) {
                outputs.put(block(layer) + "attn.c_" + each, model.width());
            }
        }
        return outputs;
    }

    /** How values and value embeddings mix. */
    String valueMix(int layer) {
        return block(layer) + (model.attention().values().numbers() == 1 ? "attn.lamb" : "attn.lambdas");
    }

    String attentionProjection(int layer) {
        return block(layer) + "attn.c_proj";
    }

    String norm2(int layer) {
        return block(layer) + "ln_2";
    }

    String up(int layer) {
        return block(layer) + "mlp.c_fc";
    }

    String down(int layer) {
        return block(layer) + "mlp.c_proj";
    }

    /** How the stream and the embedding mix. */
    String streamMix(int layer) {
        return block(layer) + "lambdas";
    }

    String valueEmbedding(int table) {
        return "value_embeds.embed." + table + ".weight";
    }

    String finalNorm() {
        return nanoGpt ? "transformer.ln_f" : "ln_f";
    }

    String head() {
        return "lm_head.weight";
    }

    String skipWeights() {
        return "skip_weights";
    }
}
