package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.AttentionSpec;
import pacer.trainer.spec.ModelSpec;

/**
 * A GPT's blocks over sequences that grow, several at once. Keys and values of all positions so far are kept, so that new tokens cost
 * their own positions alone. All buffers are planned once, for as many sequences of the longest kind as are asked for.
 */
final class CachedTrunk {
    private final ModelSpec model;
    private final Device device;
    private final Operations ops;
    private final int capacity; // maxT
    private final Ends ends;
    private final Block.Weights[] weights; // one a layer, as the caches
    private final Attention.Cache[] caches; // null without attention
    private final Working working;
    private final ForwardBuffers buffers; // for B·maxT rows
    private final Tensor past; // (B) I32, positions in the caches
    private final Tensor tokens; // (B·maxT) I32
    private final Tensor firstKey; // (B·maxT) I32; null where each position sees all that came before
    private final Streams streams;
    private final Rotary rotary;
    private final MemorySegment hostPast;
    private final MemorySegment hostTokens;
    private final int[][] documents; // where the document of each position begins
    private final int[] sizes; // positions of each sequence so far
    private int window; // tokens that a position sees; 0: all

    /**
     * Plans the buffers.
     *
     * @param weights all parameters, F32, as {@code parameters} lays them out
     * @param products the same in the dtype of products; {@code weights} itself in fp32
     * @param sequences B, at most
     * @param capacity tokens of the longest sequence
     * @param memory for each layer a contiguous F32 tensor of at least {@code 2 * sequences * capacity * C} elements, for keys and values
     */
    CachedTrunk(
            ModelSpec model,
            Parameters parameters,
            Device device,
            Tensor weights,
            Tensor products,
            int sequences,
            int capacity,
            Tensor[] memory) {
        this.model = model;
        this.device = device;
        this.ops = device.operations();
        this.capacity = capacity;
        int rows = sequences * capacity;
        Names names = Names.of(model);
        ends = Ends.of(names, parameters, weights, products);
        past = device.allocate("past", DType.I32, sequences);
        tokens = device.allocate("tokens", DType.I32, rows);
        firstKey = model.attention().limitsSight() ? device.allocate("firstKey", DType.I32, rows) : null;
        streams = Streams.allocate(model, device, false, sequences, capacity);
        rotary = Rotary.of(model, device, capacity);
        documents = new int[sequences][capacity];
        sizes = new int[sequences];
        buffers = ForwardBuffers.allocate(device, model, products.dtype(), rows);
        working = Working.forwardOnly(device, model);
        this.weights = new Block.Weights[model.layers()];
        caches = new Attention.Cache[model.layers()];
        for (int layer = 0; layer < caches.length; layer++) {
            this.weights[layer] = Block.Weights.of(names, parameters, layer, weights, products);
            caches[layer] = model.hasAttention(layer) ? cache(memory[layer]) : null;
        }
        hostPast = Arena.ofAuto().allocate(4L * sequences, 64);
        hostTokens = Arena.ofAuto().allocate(4L * rows, 64);
    }

    private Attention.Cache cache(Tensor memory) {
        int width = model.headWidth();
        long half = (long) sizes.length * capacity * model.width();
        return new Attention.Cache(
                memory.slice("keys", 0, sizes.length, model.heads(), capacity, width),
                memory.slice("values", half, sizes.length, model.heads(), capacity, width));
    }

    Ends ends() {
        return ends;
    }

    /** Tokens of the longest sequence. */
    int capacity() {
        return capacity;
    }

    /** Tokens of sequence {@code b} so far. */
    int size(int b) {
        return sizes[b];
    }

    /** Tokens that a position sees from now on, 0 for all; forgets the sequences. */
    void setWindow(int tokens) {
        window = tokens;
        Arrays.fill(sizes, 0);
    }

    /** Forgets all but the first {@code length} tokens of sequence {@code b}. */
    void truncate(int b, int length) {
        if (length < 0 || length > sizes[b]) {
            throw new IllegalArgumentException("cannot keep " + length + " of " + sizes[b] + " tokens");
        }
        sizes[b] = length;
    }

    /** The views of a forward pass over T new positions of the first B sequences. */
    record Pass(
            Trunk trunk,
            Tensor past, // (B) I32
            Tensor firstKey, // (B, T) I32 or null
            FeedForward.Saved free, // rows that are free again when the blocks are done, as many as the output has
            Tensor out) { // (B, T, C) of the stream, or (1, 1, C), its last row

        /** (B, T) I32. */
        Tensor tokens() {
            return trunk.tokens();
        }
    }

    /**
     * Plans a pass.
     *
     * @param last whether the output is but the last row, of one sequence
     */
    Pass pass(int b, int t, boolean last) {
        Streams rows = streams.first(b, t);
        Tensor seen = firstKey == null ? null : firstKey.slice("firstKey", 0, b, t);
        Attention.Saved attention = buffers.attention(b, t, null);
        Block[] blocks = new Block[caches.length];
        for (int layer = 0; layer < blocks.length; layer++) {
            boolean row = last && layer == blocks.length - 1;
            Tensor stream = rows.residual().get(layer + 1);
            Tensor out =
                    row && t > 1 ? stream.slice("last", (t - 1L) * stream.columns(), 1, 1, stream.columns()) : stream;
            blocks[layer] = Block.forwardOnly(
                    model,
                    ops,
                    layer,
                    weights[layer],
                    row ? attention.last() : attention,
                    caches[layer] == null ? null : caches[layer].first(b),
                    buffers.feedForward(b, row ? 1 : t),
                    working,
                    Block.Residual.forwardOnly(model, layer, rows.residual().get(layer), stream, out));
        }
        Tensor before = past.slice("past", 0, b);
        Context context = new Context(rotary, before, seen, rows.embedding(), null, rows.values(), null);
        Trunk trunk = new Trunk(model, ops, ends, null, tokens.slice("tokens", 0, b, t), rows, context, blocks);
        return new Pass(trunk, before, seen, buffers.feedForward(b, last ? 1 : t), trunk.out());
    }

    /**
     * Takes up tokens behind those so far: {@code texts[b][from[b] …]}, as many as the pass has positions or there are. Rows of a sequence
     * that has fewer hold nothing of worth, in the caches too, where what comes next takes their place.
     */
    void append(Pass pass, int[][] texts, int[] from) {
        int sequences = pass.tokens().dim(0);
        int positions = pass.tokens().dim(1);
        for (int b = 0; b < sequences; b++) {
            if (positions > capacity - sizes[b]) {
                throw new IllegalArgumentException(
                        positions + " tokens after " + sizes[b] + "; at least one, and " + capacity + " in all");
            }
            int count = Math.min(positions, texts[b].length - from[b]);
            MemorySegment row = hostTokens.asSlice(4L * b * positions, 4L * positions);
            MemorySegment.copy(texts[b], from[b], row, ValueLayout.JAVA_INT, 0, count);
            row.asSlice(4L * count).fill((byte) 0);
            hostPast.setAtIndex(ValueLayout.JAVA_INT, b, sizes[b]);
        }
        device.write(pass.tokens(), hostTokens.asSlice(0, 4L * sequences * positions));
        device.write(pass.past, hostPast.asSlice(0, 4L * sequences));
        if (firstKey != null) {
            writeFirstKeys(pass.firstKey);
        }
        pass.trunk.forward(DropoutPlan.NONE);
        for (int b = 0; b < sequences; b++) {
            sizes[b] += Math.min(positions, texts[b].length - from[b]);
        }
    }

    private void writeFirstKeys(Tensor to) {
        AttentionSpec attention = model.attention();
        int positions = to.dim(1);
        for (int b = 0; b < to.dim(0); b++) {
            for (int i = 0; i < positions; i++) {
                int at = sizes[b] + i;
                long place = (long) b * positions + i;
                int token = hostTokens.getAtIndex(ValueLayout.JAVA_INT, place); // which are written already
                documents[b][at] = Visibility.document(attention, at, token, at == 0 ? 0 : documents[b][at - 1]);
                int first = Visibility.firstSeen(attention, at, documents[b][at], window);
                hostTokens.setAtIndex(ValueLayout.JAVA_INT, place, first);
            }
        }
        device.write(to, hostTokens.asSlice(0, 4 * to.size()));
    }
}
