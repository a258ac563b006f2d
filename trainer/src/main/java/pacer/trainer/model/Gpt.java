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

    private final Ends ends;
    private final Ends gradients; // null without training

    private final Tensor tokens; // (B, T) I32
    private final Tensor targets; // (B*T) I32
    private final Tensor[] residual; // layers + 1 of (B, T, C); all the same without training
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
        this.model = model;
        this.device = device;
        this.ops = device.operations();
        boolean training = gradients != null;
        DType product = products.dtype();
        int b = sequences;
        int t = length;
        int c = model.width();
        this.ends = Ends.of(model, parameters, weights, products);
        this.gradients = training ? Ends.of(model, parameters, gradients, gradients) : null;

        tokens = device.allocate("tokens", DType.I32, b, t);
        targets = device.allocate("targets", DType.I32, b * t);
        residual = new Tensor[model.layers() + 1];
        blocks = new Block[model.layers()];
        for (int layer = 0; layer <= model.layers(); layer++) {
            residual[layer] =
                    training || layer == 0 ? device.allocate("residual" + layer, DType.F32, b, t, c) : residual[0];
        }
        if (training) {
            planTraining(parameters, weights, products, gradients);
        } else {
            planForward(parameters, weights, products);
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

    private void planTraining(Parameters parameters, Tensor weights, Tensor products, Tensor gradients) {
        Working working = Working.training(device, model, products.dtype(), sequences(), length());
        for (int layer = 0; layer < blocks.length; layer++) {
            blocks[layer] = Block.training(
                    model,
                    device,
                    products.dtype(),
                    layer,
                    Block.Weights.of(parameters, layer, weights, products),
                    Block.Weights.of(parameters, layer, gradients, gradients),
                    working,
                    sequences(),
                    length());
        }
    }

    private void planForward(Parameters parameters, Tensor weights, Tensor products) {
        int b = sequences();
        int t = length();
        ForwardBuffers buffers = ForwardBuffers.allocate(device, model, products.dtype(), b * t);
        Tensor logSumExp = device.allocate("logSumExp", DType.F32, b, model.heads(), t);
        Working working = Working.forwardOnly(device);
        for (int layer = 0; layer < blocks.length; layer++) {
            blocks[layer] = Block.forwardOnly(
                    model,
                    ops,
                    layer,
                    Block.Weights.of(parameters, layer, weights, products),
                    buffers.attention(b, t, logSumExp),
                    null,
                    buffers.feedForward(b, t),
                    working,
                    residual[0]);
        }
    }

    private Stream<Tensor> gradientsOfNormsAndEmbeddings() {
        Stream<Tensor> ours = Stream.of(
                model.tiedHead() ? null : gradients.tokenEmbedding(),
                gradients.positionEmbedding(),
                gradients.finalNorm(),
                gradients.finalNormBias());
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

    /** Layer by layer, memory of at least 3·T·C contiguous floats that holds nothing between two passes of a training. */
    Tensor[] memoryBetweenPasses() {
        return Arrays.stream(blocks).map(Block::memoryBetweenPasses).toArray(Tensor[]::new);
    }

    private void forward(MemorySegment inputs, DropoutPlan dropout) {
        device.write(tokens, inputs);
        ops.embeddingForward(residual[0], tokens, ends.tokenEmbedding(), ends.positionEmbedding(), null);
        if (dropout.isActive()) {
            ops.dropout(residual[0], residual[0], dropout.at(0, (long) length() * model.width()));
        }
        for (int layer = 0; layer < blocks.length; layer++) {
            blocks[layer].forward(residual[layer], residual[layer + 1], dropout);
        }
        ops.layerNormForward(
                normed, mean, rstd, residual[blocks.length], ends.finalNorm(), ends.finalNormBias(), (float)
                        model.normEpsilon());
        ops.linearForward(logits, normed, ends.head(), null, false);
    }

    private void backward(DropoutPlan dropout) {
        if (dLogitsProduct != logits) {
            ops.convert(dLogitsProduct, logits);
        }
        ops.linearBackwardWeight(gradients.head(), null, dLogitsProduct, normed, begun);
        ops.linearBackwardInput(dNormed, dLogitsProduct, ends.head(), false);
        ops.layerNormBackward(
                dResidual,
                gradients.finalNorm(),
                gradients.finalNormBias(),
                dNormed,
                residual[blocks.length],
                ends.finalNorm(),
                mean,
                rstd,
                false);
        for (int layer = blocks.length - 1; layer >= 0; layer--) {
            blocks[layer].backward(residual[layer], dResidual, dropout, begun);
        }
        if (dropout.isActive()) {
            ops.dropout(dResidual, dResidual, dropout.at(0, (long) length() * model.width()));
        }
        ops.embeddingBackward(gradients.tokenEmbedding(), gradients.positionEmbedding(), dResidual, tokens);
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
