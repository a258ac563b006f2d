package pacer.trainer.model;

import java.util.Arrays;
import java.util.stream.Stream;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** From tokens to the residual stream behind the last block: embeddings, blocks, and the skips between them. */
final class Trunk {
    private final ModelSpec model;
    private final Operations ops;
    private final Ends ends;
    private final Ends gradients; // null without training
    private final Tensor tokens; // (B, T) I32
    private final Streams streams;
    private final Normalization embeddingNorm; // null where embeddings have none
    private final Context context;
    private final Block[] blocks;

    Trunk(
            ModelSpec model,
            Operations ops,
            Ends ends,
            Ends gradients,
            Tensor tokens,
            Streams streams,
            Context context,
            Block[] blocks) {
        this.model = model;
        this.ops = ops;
        this.ends = ends;
        this.gradients = gradients;
        this.tokens = tokens;
        this.streams = streams;
        this.context = context;
        this.blocks = blocks;
        this.embeddingNorm =
                streams.statistics() == null ? null : Normalization.of(model, ops, null, null, streams.statistics());
    }

    /** (B, T, C), or its last rows. */
    Tensor out() {
        return blocks[blocks.length - 1].residual().out();
    }

    /** (B, T) I32. */
    Tensor tokens() {
        return tokens;
    }

    /** Layer by layer, (B, T, 3C) that holds nothing of worth between two passes of a training; null without attention. */
    Tensor[] memoryBetweenPasses() {
        return Arrays.stream(blocks).map(Block::memoryBetweenPasses).toArray(Tensor[]::new);
    }

    /** Takes the tokens through the model. */
    void forward(DropoutPlan dropout) {
        embed(dropout);
        for (int layer = 0; layer < blocks.length; layer++) {
            int source = model.skipSource(layer);
            if (source >= 0) {
                Tensor weight = ends.skipWeights().get(layer - blocks.length / 2);
                Tensor in = blocks[layer].residual().in();
                ops.skipForward(
                        in, streams.residual().get(layer), streams.residual().get(source + 1), weight);
            }
            blocks[layer].forward(context, dropout);
        }
    }

    private void embed(DropoutPlan dropout) {
        Tensor stream = streams.residual().getFirst();
        ops.embeddingForward(
                streams.embedded(), tokens, ends.tokenEmbedding(), ends.positionEmbedding(), context.past());
        if (embeddingNorm != null) {
            embeddingNorm.forward(stream, streams.embedded());
        }
        if (dropout.isActive()) {
            ops.dropout(stream, stream, ofEmbedding(dropout));
        }
        if (streams.embedding() != null && streams.embedding() != stream) {
            ops.convert(streams.embedding(), stream);
        }
        for (int table = 0; table < model.valueTables(); table++) {
            ops.embeddingForward(
                    streams.values().get(table), tokens, ends.valueEmbeddings().get(table), null, null);
        }
    }

    private Dropout ofEmbedding(DropoutPlan dropout) {
        return dropout.at(0, (long) tokens.columns() * model.width());
    }

    /** dResidual: in, the gradient of {@link #out}; overwritten. {@code add}: to the gradients that are there. */
    void backward(Tensor dResidual, DropoutPlan dropout, boolean add) {
        for (int layer = blocks.length - 1; layer >= 0; layer--) {
            if (model.stream().skips() && layer < blocks.length / 2) {
                ops.add(
                        dResidual,
                        dResidual,
                        blocks[blocks.length - 1 - layer].residual().in());
            }
            blocks[layer].backward(dResidual, context, dropout, add);
            int source = model.skipSource(layer);
            if (source >= 0) {
                int skip = layer - blocks.length / 2;
                ops.skipBackward(
                        blocks[layer].residual().in(), // whose value nobody needs any more
                        gradients.skipWeights().get(skip),
                        dResidual,
                        streams.residual().get(source + 1),
                        ends.skipWeights().get(skip),
                        false);
            }
        }
        if (context.dEmbedding() != null) {
            ops.add(dResidual, dResidual, context.dEmbedding());
        }
        if (dropout.isActive()) {
            ops.dropout(dResidual, dResidual, ofEmbedding(dropout));
        }
        if (embeddingNorm != null) {
            embeddingNorm.backward(dResidual, dResidual, streams.embedded(), false);
        }
        ops.embeddingBackward(gradients.tokenEmbedding(), gradients.positionEmbedding(), dResidual, tokens);
        for (int table = 0; table < model.valueTables(); table++) {
            ops.embeddingBackward(
                    gradients.valueEmbeddings().get(table),
                    null,
                    context.dValues().get(table),
                    tokens);
        }
    }

    /** Gradients that are added up, not written by a product. */
    Stream<Tensor> addedTo() {
        Stream<Tensor> ours = Stream.of(
                        Stream.ofNullable(model.tiedHead() ? null : gradients.tokenEmbedding()),
                        Stream.ofNullable(gradients.positionEmbedding()),
                        gradients.valueEmbeddings().stream(),
                        gradients.skipWeights().stream())
                .flatMap(each -> each);
        return Stream.concat(ours, Arrays.stream(blocks).flatMap(Block::addedTo));
    }
}
