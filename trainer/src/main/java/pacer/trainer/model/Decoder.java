package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.AttentionSpec;
import pacer.trainer.spec.ModelSpec;

/**
 * A GPT over one sequence that grows. Keys and values of all positions so far are kept, so that new tokens cost their own positions
 * alone; logits are those of the last position. All buffers are planned once, for the longest sequence that is asked for.
 */
public final class Decoder {
    private final ModelSpec model;
    private final Device device;
    private final Operations ops;
    private final int capacity; // maxT
    private final Ends ends;
    private final Block.Weights[] weights; // one a layer, as the caches
    private final Attention.Cache[] caches; // null without attention
    private final Working working;
    private final ForwardBuffers buffers; // for maxT rows
    private final Normalization finalNorm;
    private final Tensor normed; // (1, 1, C) in the dtype of products
    private final Tensor past; // (1) I32, positions in the caches
    private final Tensor tokens; // (maxT) I32
    private final Tensor firstKey; // (maxT) I32; null where each position sees all that came before
    private final Streams streams;
    private final Rotary rotary;
    private final Tensor logits; // (1, V)
    private final MemorySegment hostPast;
    private final MemorySegment hostTokens;
    private final int[] documents; // where the document of each position begins
    private final Pass one;
    private int window; // tokens that a position sees; 0: all
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
        Names names = Names.of(model);
        this.ends = Ends.of(names, parameters, weights, products);
        past = device.allocate("past", DType.I32, 1);
        tokens = device.allocate("tokens", DType.I32, capacity);
        firstKey = model.attention().limitsSight() ? device.allocate("firstKey", DType.I32, capacity) : null;
        streams = Streams.allocate(model, device, false, 1, capacity);
        rotary = Rotary.of(model, device, capacity);
        documents = new int[capacity];
        logits = device.allocate("logits", DType.F32, 1, model.vocabulary());
        buffers = ForwardBuffers.allocate(device, model, products.dtype(), capacity);
        FeedForward.Saved row = buffers.feedForward(1, 1); // free again when the blocks are done
        normed = row.normed();
        finalNorm = Normalization.of(model, ops, ends.finalNorm(), null, row.statistics());
        working = Working.forwardOnly(device, model);
        this.weights = new Block.Weights[model.layers()];
        caches = new Attention.Cache[model.layers()];
        for (int layer = 0; layer < caches.length; layer++) {
            this.weights[layer] = Block.Weights.of(names, parameters, layer, weights, products);
            caches[layer] = model.hasAttention(layer) ? cache(memory[layer]) : null;
        }
        hostPast = Arena.ofAuto().allocate(ValueLayout.JAVA_INT);
        hostTokens = Arena.ofAuto().allocate(4L * capacity, 64);
        one = pass(1);
    }

    private Attention.Cache cache(Tensor memory) {
        int width = model.headWidth();
        long half = (long) capacity * model.width();
        return new Attention.Cache(
                memory.slice("keys", 0, 1, model.heads(), capacity, width),
                memory.slice("values", half, 1, model.heads(), capacity, width));
    }

    /** Tokens that a position sees from now on, 0 for all; forgets the sequence. */
    void setWindow(int tokens) {
        window = tokens;
        size = 0;
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
        device.write(pass.trunk.tokens(), hostTokens.asSlice(0, 4L * count));
        hostPast.set(ValueLayout.JAVA_INT, 0, size);
        device.write(past, hostPast);
        if (firstKey != null) {
            writeFirstKeys(pass.firstKey, text, from, count);
        }
        pass.trunk.forward(DropoutPlan.NONE);
        finalNorm.forward(normed, pass.last);
        ops.linearForward(logits, normed, ends.head(), null, false);
        size += count;
    }

    private void writeFirstKeys(Tensor to, int[] text, int from, int count) {
        AttentionSpec attention = model.attention();
        for (int i = 0; i < count; i++) {
            int at = size + i;
            documents[at] = Visibility.document(attention, at, text[from + i], at == 0 ? 0 : documents[at - 1]);
            int first = Visibility.firstSeen(attention, at, documents[at], window);
            hostTokens.setAtIndex(ValueLayout.JAVA_INT, i, first); // tokens are written already
        }
        device.write(to, hostTokens.asSlice(0, 4L * count));
    }

    /** Logits of the last token that was taken up; V floats. */
    public void readLogits(MemorySegment to) {
        device.read(logits, to);
        Softcap.apply(to, model);
    }

    /** The views of a forward pass over {@code T} new positions. */
    private record Pass(
            Trunk trunk,
            Tensor firstKey, // (1, T) I32 or null
            Tensor last) {} // (1, 1, C) row of the stream

    private Pass pass(int t) {
        Streams rows = streams.first(t);
        Tensor seen = firstKey == null ? null : firstKey.slice("firstKey", 0, 1, t);
        Attention.Saved attention = buffers.attention(1, t, null);
        Block[] blocks = new Block[caches.length];
        for (int layer = 0; layer < blocks.length; layer++) {
            // of the last block's output only the last row is looked at
            boolean end = layer == blocks.length - 1;
            Tensor stream = rows.residual().get(layer + 1);
            Tensor out =
                    end && t > 1 ? stream.slice("last", (t - 1L) * stream.columns(), 1, 1, stream.columns()) : stream;
            blocks[layer] = Block.forwardOnly(
                    model,
                    ops,
                    layer,
                    weights[layer],
                    end ? attention.last() : attention,
                    caches[layer],
                    buffers.feedForward(1, end ? 1 : t),
                    working,
                    Block.Residual.forwardOnly(model, layer, rows.residual().get(layer), stream, out));
        }
        Context context = new Context(rotary, past, seen, rows.embedding(), null, rows.values(), null);
        Trunk trunk = new Trunk(model, ops, ends, null, tokens.slice("tokens", 0, 1, t), rows, context, blocks);
        return new Pass(trunk, seen, trunk.out());
    }
}
