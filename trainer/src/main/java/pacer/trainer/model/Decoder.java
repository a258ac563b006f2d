package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * A GPT over one sequence that grows. Keys and values of all positions so far are kept, so that new tokens cost their own positions
 * alone; logits are those of the last position. All buffers are planned once, for the longest sequence.
 */
public final class Decoder {
    private final ModelSpec model;
    private final Device device;
    private final Operations ops;
    private final int capacity; // maxT
    private final Ends ends;
    private final Block.Weights[] weights; // one a layer, as the caches
    private final Attention.Cache[] caches;
    private final Working working;
    private final ForwardBuffers buffers; // for maxT rows
    private final Tensor past; // (1) I32, positions in the caches
    private final Tensor tokens; // (maxT) I32
    private final Tensor residual; // (maxT, C), the residual stream, in place
    private final Tensor logits; // (1, V)
    private final MemorySegment hostPast;
    private final MemorySegment hostTokens;
    private final Pass one;
    private int size;

    /**
     * Plans a decoder.
     *
     * @param weights all parameters, F32, as {@code parameters} lays them out
     * @param products the same in the dtype of products; {@code weights} itself in fp32
     * @param capacity tokens of the longest sequence
     * @param memory for each layer a contiguous F32 tensor of at least {@code 2 * capacity * C} elements, for keys and values
     */
    Decoder(
            ModelSpec model,
            Parameters parameters,
            Device device,
            Tensor weights,
            Tensor products,
            int capacity,
            Tensor[] memory) {
        this.model = model;
        this.device = device;
        this.ops = device.operations();
        this.capacity = capacity;
        this.ends = Ends.of(model, parameters, weights, products);
        int c = model.width();
        past = device.allocate("past", DType.I32, 1);
        tokens = device.allocate("tokens", DType.I32, capacity);
        residual = device.allocate("residual", DType.F32, capacity, c);
        logits = device.allocate("logits", DType.F32, 1, model.vocabulary());
        buffers = ForwardBuffers.allocate(device, model, products.dtype(), capacity);
        working = Working.forwardOnly(device);
        this.weights = new Block.Weights[model.layers()];
        caches = new Attention.Cache[model.layers()];
        for (int layer = 0; layer < caches.length; layer++) {
            this.weights[layer] = Block.Weights.of(parameters, layer, weights, products);
            caches[layer] = new Attention.Cache(
                    memory[layer].slice("keys", 0, 1, model.heads(), capacity, model.headWidth()),
                    memory[layer].slice("values", (long) capacity * c, 1, model.heads(), capacity, model.headWidth()),
                    past);
        }
        hostPast = Arena.ofAuto().allocate(ValueLayout.JAVA_INT);
        hostTokens = Arena.ofAuto().allocate(4L * capacity, 64);
        one = pass(1);
    }

    /** Tokens of the longest sequence. */
    public int capacity() {
        return capacity;
    }

    /** Tokens that the model tells apart. */
    public int vocabulary() {
        return model.vocabulary();
    }

    /** Tokens of the sequence so far. */
    public int size() {
        return size;
    }

    /** Forgets all but the first {@code length} tokens. Whoever changes the weights, or trains, forgets all. */
    public void truncate(int length) {
        if (length < 0 || length > size) {
            throw new IllegalArgumentException("cannot keep " + length + " of " + size + " tokens");
        }
        size = length;
    }

    /** Takes up tokens {@code text[from … to)} behind those so far, in one forward pass over their positions. */
    public void append(int[] text, int from, int to) {
        int count = to - from;
        if (count < 1 || count > capacity - size) {
            throw new IllegalArgumentException(
                    count + " tokens after " + size + "; at least one, and " + capacity + " in all");
        }
        Pass pass = count == 1 ? one : pass(count);
        MemorySegment.copy(text, from, hostTokens, ValueLayout.JAVA_INT, 0, count);
        device.write(pass.tokens, hostTokens.asSlice(0, 4L * count));
        hostPast.set(ValueLayout.JAVA_INT, 0, size);
        device.write(past, hostPast);
        ops.embeddingForward(pass.residual, pass.tokens, ends.tokenEmbedding(), ends.positionEmbedding(), past);
        for (Block block : pass.blocks) {
            block.forward(pass.residual, block.residualMid(), DropoutPlan.NONE);
        }
        FeedForward.Saved row = buffers.feedForward(1, 1); // its normed row is free again
        ops.layerNormForward(
                row.normed(), row.mean(), row.rstd(), pass.last, ends.finalNorm(), ends.finalNormBias(), (float)
                        model.normEpsilon());
        ops.linearForward(logits, row.normed(), ends.head(), null, false);
        size += count;
    }

    /** Logits of the last token that was taken up; V floats. */
    public void readLogits(MemorySegment to) {
        device.read(logits, to);
    }

    /** The views of a forward pass over {@code T} new positions. */
    private record Pass(
            Tensor tokens, // (1, T) I32
            Tensor residual, // (1, T, C)
            Tensor last, // (1, 1, C) row of residual
            List<Block> blocks) {}

    private Pass pass(int t) {
        int c = model.width();
        Tensor all = residual.slice("residual", 0, 1, t, c);
        Tensor last = residual.slice("last", (t - 1L) * c, 1, 1, c);
        Attention.Saved attention = buffers.attention(1, t, null);
        List<Block> blocks = new ArrayList<>();
        for (int layer = 0; layer < caches.length; layer++) {
            // of the last block's output only the last row is looked at
            boolean end = layer == caches.length - 1;
            blocks.add(Block.forwardOnly(
                    model,
                    ops,
                    layer,
                    weights[layer],
                    end ? attention.last() : attention,
                    caches[layer],
                    buffers.feedForward(1, end ? 1 : t),
                    working,
                    end ? last : all));
        }
        return new Pass(tokens.slice("tokens", 0, 1, t), all, last, blocks);
    }
}
