package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * A GPT on one device for batches of one shape (B, T): from GPT-2 (Radford et al. 2019) as nanoGPT and llm.c write it to the models of the
 * modded-nanogpt speedrun, by the switches of {@link ModelSpec}. All buffers are
 * planned in the constructor; forward and backward passes allocate nothing.
 */
public final class Gpt {
    private final ModelSpec model;
    private final Device device;
    private final Operations ops;
    private final Ends ends;
    private final Ends gradients; // null without training
    private final Visibility visibility; // null where each position sees all that came before
    private final Trunk trunk;
    private final Normalization finalNorm;

    private final Tensor tokens; // (B, T) I32
    private final Tensor targets; // (B*T) I32
    private final Tensor normed; // (B, T, C) in the dtype of products
    private final Head head;
    private final Tensor losses; // (B*T)
    private final Tensor dResidual; // (B, T, C)
    private final Tensor dNormed; // (B, T, C)
    private final MemorySegment hostLosses;

    private final List<Tensor> addedTo; // the gradients that no product writes
    private int window; // tokens that a position sees; 0: all
    private boolean begun; // whether gradients hold those of a pass, to be added to

    /**
     * Plans a model.
     *
     * @param policy for a model that only evaluates, only its bound on logits counts
     * @param weights all parameters, F32, as {@code parameters} lays them out
     * @param products the same in the dtype of products; {@code weights} itself in fp32
     * @param gradients F32, same layout; null for a model that only evaluates
     */
    public Gpt(
            ModelSpec model,
            MemoryPolicy policy,
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
        this.window = model.attention().windowAt(1);
        Names names = Names.of(model);
        this.ends = Ends.of(names, parameters, weights, products);
        this.gradients = training ? Ends.of(names, parameters, gradients, gradients) : null;

        tokens = device.allocate("tokens", DType.I32, b, t);
        targets = device.allocate("targets", DType.I32, b * t);
        visibility = Visibility.of(model.attention(), device, b, t);
        trunk = training
                ? trunkOfTraining(policy, names, parameters, weights, products, gradients)
                : trunk(names, parameters, weights, products);
        normed = device.allocate("normed", product, b, t, c);
        finalNorm = Normalization.of(
                model,
                ops,
                ends.finalNorm(),
                training ? this.gradients.finalNorm() : null,
                Normalization.Statistics.allocate(model, device, "", b, t));
        losses = device.allocate("losses", DType.F32, b * t);
        hostLosses = Arena.ofAuto().allocate(4L * b * t, 64);
        dResidual = training ? device.allocate("dResidual", DType.F32, b, t, c) : null;
        dNormed = training ? device.allocate("dNormed", DType.F32, b, t, c) : null;
        head = new Head(
                model,
                policy,
                device,
                ends.head(),
                training ? this.gradients.head() : null,
                normed,
                dNormed,
                targets,
                losses);
        addedTo = training ? Stream.concat(trunk.addedTo(), finalNorm.addedTo()).toList() : List.of();
    }

    private Trunk trunkOfTraining(
            MemoryPolicy policy,
            Names names,
            Parameters parameters,
            Tensor weights,
            Tensor products,
            Tensor gradients) {
        Streams streams = Streams.allocate(model, device, true, sequences(), length());
        List<Tensor> residual = streams.residual();
        Working working = Working.training(device, model, policy, products.dtype(), sequences(), length());
        Block[] blocks = new Block[model.layers()];
        for (int layer = 0; layer < blocks.length; layer++) {
            // a skip is added in place, but where its source is the stream itself
            int source = model.skipSource(layer);
            Tensor in = source >= 0 && source == layer - 1
                    ? device.allocate("entry", DType.F32, residual.get(layer).shape())
                    : residual.get(layer);
            blocks[layer] = Block.training(
                    model,
                    device,
                    products.dtype(),
                    layer,
                    Block.Weights.of(names, parameters, layer, weights, products),
                    Block.Weights.of(names, parameters, layer, gradients, gradients),
                    working,
                    Block.Residual.training(model, device, layer, in, residual.get(layer + 1)));
        }
        List<Tensor> dValues = Streams.tables(model, device, "dValues", sequences(), length());
        Tensor dEmbedding = streams.embedding() == null
                ? null
                : device.allocate("dEmbedding", DType.F32, residual.getFirst().shape());
        return new Trunk(
                model, ops, ends, this.gradients, tokens, streams, context(streams, dEmbedding, dValues), blocks);
    }

    private Trunk trunk(Names names, Parameters parameters, Tensor weights, Tensor products) {
        int b = sequences();
        int t = length();
        Streams streams = Streams.allocate(model, device, false, b, t);
        ForwardBuffers buffers = ForwardBuffers.allocate(device, model, products.dtype(), b * t);
        Tensor logSumExp = device.allocate("logSumExp", DType.F32, b, model.heads(), t);
        Working working = Working.forwardOnly(device, model);
        Block[] blocks = new Block[model.layers()];
        for (int layer = 0; layer < blocks.length; layer++) {
            Tensor out = streams.residual().get(layer + 1);
            blocks[layer] = Block.forwardOnly(
                    model,
                    ops,
                    layer,
                    Block.Weights.of(names, parameters, layer, weights, products),
                    buffers.attention(b, t, logSumExp),
                    null,
                    buffers.feedForward(b, t),
                    working,
                    Block.Residual.forwardOnly(model, layer, streams.residual().get(layer), out, out));
        }
        return new Trunk(model, ops, ends, null, tokens, streams, context(streams, null, null), blocks);
    }

    private Context context(Streams streams, Tensor dEmbedding, List<Tensor> dValues) {
        Tensor firstKey = visibility == null ? null : visibility.firstKey();
        Rotary rotary = Rotary.of(model, device, length());
        return new Context(rotary, null, firstKey, streams.embedding(), dEmbedding, streams.values(), dValues);
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

    /** Tokens that a position sees from now on; 0: all. */
    void setWindow(int tokens) {
        window = tokens;
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
        head.forwardBackward(gradientScale, begun);
        finalNorm.backward(dResidual, dNormed, trunk.out(), false);
        trunk.backward(dResidual, dropout, begun);
        begun = true;
        return sumOfLosses();
    }

    /** Sum of the losses of a batch, nats; weights and gradients stay as they are. */
    public double loss(MemorySegment inputs, MemorySegment expected) {
        device.write(targets, expected);
        forward(inputs, DropoutPlan.NONE);
        head.forward();
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

    /** Logits of position {@code row} of the last batch; V floats. */
    public void readLogits(int row, MemorySegment to) {
        device.read(head.logits(row), to);
        Softcap.apply(to, model);
    }

    /** Layer by layer, memory of at least 3·T·C contiguous floats that holds nothing between two passes of a training; null without attention. */
    Tensor[] memoryBetweenPasses() {
        return trunk.memoryBetweenPasses();
    }

    private void forward(MemorySegment inputs, DropoutPlan dropout) {
        device.write(tokens, inputs);
        if (visibility != null) {
            visibility.write(inputs, window);
        }
        trunk.forward(dropout);
        finalNorm.forward(normed, trunk.out());
        head.forget();
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
