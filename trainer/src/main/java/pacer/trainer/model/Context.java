package pacer.trainer.model;

import java.util.List;
import pacer.trainer.ops.Tensor;

/** What all blocks of a pass look at besides the residual stream. */
record Context(
        Rotary rotary, // null where positions are learned
        Tensor past, // (B) I32, positions before those at hand; null where none are
        Tensor firstKey, // (B, T) I32, the first position that each sees; null where all see all that came before
        Tensor embedding, // (B, T, C) the stream as it began; null where no block mixes it in
        Tensor dEmbedding, // (B, T, C); null without training
        List<Tensor> values, // value embeddings, (B, T, C) each
        List<Tensor> dValues) {} // (B, T, C) each; null without training
