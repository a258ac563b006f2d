package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * A GPT on one device for batches of one shape (B, T): GPT-2 (Radford et al. 2019) as nanoGPT and llm.c write it. All buffers are
 * planned in the constructor; forward and backward passes allocate nothing.
 */
public final class Gpt {
    private final ModelSpec model;
    private final Device device;
    private final Operations ops;
    private final Block[] blocks;

    private final Tensor tokenEmbedding; // (V, C)
    private final Tensor positionEmbedding; // (maxT, C)
    private final Tensor finalNorm; // (C)
    private final Tensor finalNormBias; // (C) or null
    private final Tensor head; // (V, C) in the dtype of products
    private final Tensor dTokenEmbedding;
    private final Tensor dPositionEmbedding;
    private final Tensor dFinalNorm;
    private final Tensor dFinalNormBias;
    private final Tensor dHead;

    private final Tensor tokens; // (B, T) I32
    private final Tensor targets; // (B*T) I32
    private final Tensor[] residual; // layers + 1 of (B, T, C); two taking turns without training
    private final Tensor normed; // (B, T, C) in the dtype of products
    private final Tensor mean; // (B, T)
    private final Tensor rstd; // (B, T)
    private final Tensor logits; // (B*T, V), rows padded
    private final Tensor dLogitsProduct; // (B*T, V) in the dtype of products; logits itself in fp32
    private final Tensor losses; // (B*T)
    private final Tensor dResidual; // (B, T, C)
    private final Tensor dNormed; // (B, T, C)
    private final MemorySegment hostLosses;

    private final List<Tensor> addedTo; // the gradients that no product writes
    private boolean begun; // whether gradients hold those of a pass, to be added to

    /**
     * Plans a model.
     *
     * @param weights all parameters, F32, as {@code parameters} lays them out
     * @param products the same in the dtype of products; {@code weights} itself in fp32
     * @param gradients F32, same layout; null for a model that only evaluates
     */
    public Gpt(
            ModelSpec model,
            Parameters parameters,
            Device device,
            Tensor weights,
            Tensor products,
            Tensor gradients,
            int sequences,
            int length) {
        if (length > model.sequenceLength()) {
            throw new IllegalArgumentException(
                    "sequences of " + length + " tokens exceed the model's " + model.sequenceLength());
        }
        this.model = model;
        this.device = device;
        this.ops = device.operations();
        boolean training = gradients != null;
        DType product = products.dtype();
        int b = sequences;
        int t = length;
        int c = model.width();
        String headName = model.tiedHead() ? "transformer.wte.weight" : "lm_head.weight";

        tokenEmbedding = parameters.in(weights, "transformer.wte.weight");
        positionEmbedding = parameters.in(weights, "transformer.wpe.weight");
        finalNorm = parameters.in(weights, "transformer.ln_f.weight");
        finalNormBias = parameters.in(weights, "transformer.ln_f.bias");
        head = parameters.in(products, headName);
        dTokenEmbedding = parameters.in(gradients, "transformer.wte.weight");
        dPositionEmbedding = parameters.in(gradients, "transformer.wpe.weight");
        dFinalNorm = parameters.in(gradients, "transformer.ln_f.weight");
        dFinalNormBias = parameters.in(gradients, "transformer.ln_f.bias");
        dHead = parameters.in(gradients, headName);

        tokens = device.allocate("tokens", DType.I32, b, t);
        targets = device.allocate("targets", DType.I32, b * t);
        residual = new Tensor[model.layers() + 1];
        blocks = new Block[model.layers()];
        Block.Working working = Block.Working.allocate(device, model, product, b, t, training);
        Block.Saved shared = training ? null : Block.Saved.allocate(device, model, product, b, t);
        for (int layer = 0; layer <= model.layers(); layer++) {
            residual[layer] = training || layer < 2
                    ? device.allocate("residual" + layer, DType.F32, b, t, c)
                    : residual[layer - 2];
        }
        for (int layer = 0; layer < model.layers(); layer++) {
            blocks[layer] = new Block(
                    model,
                    ops,
                    layer,
                    Block.Weights.of(parameters, layer, weights, products),
                    training ? Block.Weights.of(parameters, layer, gradients, gradients) : null,
                    training ? Block.Saved.allocate(device, model, product, b, t) : shared,
                    working);
        }
        normed = device.allocate("normed", product, b, t, c);
        mean = device.allocate("mean", DType.F32, b, t);
        rstd = device.allocate("rstd", DType.F32, b, t);
        logits = device.allocatePadded("logits", DType.F32, b * t, model.vocabulary());
        losses = device.allocate("losses", DType.F32, b * t);
        hostLosses = Arena.ofAuto().allocate(4L * b * t, 64);
        dLogitsProduct = !training || product == DType.F32
                ? logits
                : device.allocatePadded("dLogitsProduct", product, b * t, model.vocabulary());
        dResidual = training ? device.allocate("dResidual", DType.F32, b, t, c) : null;
        dNormed = training ? device.allocate("dNormed", DType.F32, b, t, c) : null;
        addedTo = training ? gradientsOfNormsAndEmbeddings().toList() : List.of();
    }

    private Stream<Tensor> gradientsOfNormsAndEmbeddings() {
        Stream<Tensor> ours =
                Stream.of(model.tiedHead() ? null : dTokenEmbedding, dPositionEmbedding, dFinalNorm, dFinalNormBias);
        return Stream.concat(ours, Arrays.stream(blocks).flatMap(Block::gradientsOfNorms))
                .filter(Objects::nonNull);
    }

    /** Sequences a batch. */
    public int sequences() {
        return tokens.dim(0);
    }

    /** Tokens that the model tells apart. */
    public int vocabulary() {
        return model.vocabulary();
    }

    /** Tokens a sequence. */
    public int length() {
        return tokens.dim(1);
    }

    /**
     * Gradients begin anew with the next backward pass: it writes those of products, and adds the others to the zeros that are
     * set here. Until then the gradient tensor holds nothing of use.
     */
    void zeroGradients() {
        begun = false;
        addedTo.forEach(ops::zero);
    }

    /**
     * One forward and backward pass. Gradients are added up from the last {@link #zeroGradients} on.
     *
     * @param inputs int32 tokens (B, T)
     * @param expected int32 next tokens (B, T); -1 is ignored
     * @param gradientScale 1 / (tokens of the whole batch), so that accumulated gradients are those of the mean
     * @return sum of the losses, nats
     */
    public double forwardBackward(
            MemorySegment inputs, MemorySegment expected, float gradientScale, DropoutPlan dropout) {
        device.write(targets, expected);
        forward(inputs, dropout);
        ops.crossEntropy(losses, logits, targets, gradientScale, 0);
        double loss = sumOfLosses();
        backward(dropout);
        return loss;
    }

    /** Sum of the losses of a batch, nats; weights and gradients stay as they are. */
    public double loss(MemorySegment inputs, MemorySegment expected) {
        device.write(targets, expected);
        forward(inputs, DropoutPlan.NONE);
        ops.crossEntropyForward(losses, logits, targets, 0);
        return sumOfLosses();
    }

    /**
     * The logits of one position of a batch.
     *
     * @param row position in (B*T)
     * @param to V floats
     */
    public void logits(MemorySegment inputs, int row, MemorySegment to) {
        forward(inputs, DropoutPlan.NONE);
        readLogits(row, to);
    }

    /** Logits of position {@code row} as the last {@link #logits} left them; V floats. */
    public void readLogits(int row, MemorySegment to) {
        device.read(
                new Tensor("logits row", DType.F32, logits.rowAddress(row), logits.columns(), logits.columns()), to);
    }

    private void forward(MemorySegment inputs, DropoutPlan dropout) {
        device.write(tokens, inputs);
        ops.embeddingForward(residual[0], tokens, tokenEmbedding, positionEmbedding);
        if (dropout.isActive()) {
            ops.dropout(residual[0], residual[0], dropout.at(0, (long) length() * model.width()));
        }
        for (int layer = 0; layer < blocks.length; layer++) {
            blocks[layer].forward(residual[layer], residual[layer + 1], dropout);
        }
        ops.layerNormForward(
                normed, mean, rstd, residual[blocks.length], finalNorm, finalNormBias, (float) model.normEpsilon());
        ops.linearForward(logits, normed, head, null, false);
    }

    private void backward(DropoutPlan dropout) {
        if (dLogitsProduct != logits) {
            ops.convert(dLogitsProduct, logits);
        }
        ops.linearBackwardWeight(dHead, null, dLogitsProduct, normed, begun);
        ops.linearBackwardInput(dNormed, dLogitsProduct, head, false);
        ops.layerNormBackward(
                dResidual, dFinalNorm, dFinalNormBias, dNormed, residual[blocks.length], finalNorm, mean, rstd, false);
        for (int layer = blocks.length - 1; layer >= 0; layer--) {
            blocks[layer].backward(residual[layer], dResidual, dropout, begun);
        }
        if (dropout.isActive()) {
            ops.dropout(dResidual, dResidual, dropout.at(0, (long) length() * model.width()));
        }
        ops.embeddingBackward(dTokenEmbedding, dPositionEmbedding, dResidual, tokens);
        begun = true;
    }

    private double sumOfLosses() {
        device.read(losses, hostLosses);
        double sum = 0;
        for (long i = 0; i < losses.size(); i++) {
            sum += hostLosses.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        }
        return sum;
    }
}
