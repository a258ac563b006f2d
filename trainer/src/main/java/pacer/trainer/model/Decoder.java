package pacer.trainer.model;

import java.lang.foreign.MemorySegment;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** A GPT over one sequence that grows, token by token; logits are those of the last position. All buffers are planned once. */
public final class Decoder {
    private final ModelSpec model;
    private final Device device;
    private final Operations ops;
    private final CachedTrunk trunk;
    private final Normalization finalNorm;
    private final Tensor normed; // (1, 1, C) in the dtype of products
    private final Tensor logits; // (1, V)
    private final CachedTrunk.Pass one;
    private final int[][] text = new int[1][];
    private final int[] start = new int[1];

    /** Plans a decoder. */
    Decoder(ModelSpec model, Device device, CachedTrunk trunk) {
        this.model = model;
        this.device = device;
        this.ops = device.operations();
        this.trunk = trunk;
        logits = device.allocate("logits", DType.F32, 1, model.vocabulary());
        one = trunk.pass(1, 1, true);
        normed = one.free().normed();
        finalNorm = Normalization.of(
                model, ops, trunk.ends().finalNorm(), null, one.free().statistics());
    }

    /** Tokens that a position sees from now on, 0 for all; forgets the sequence. */
    void setWindow(int tokens) {
        trunk.setWindow(tokens);
    }

    /** Tokens of the longest sequence. */
    public int capacity() {
        return trunk.capacity();
    }

    /** Tokens that the model tells apart. */
    public int vocabulary() {
        return model.vocabulary();
    }

    /** Tokens of the sequence so far. */
    public int size() {
        return trunk.size(0);
    }

    /** Forgets all but the first {@code length} tokens. Whoever changes the weights, or trains, forgets all. */
    public void truncate(int length) {
        trunk.truncate(0, length);
    }

    /** Takes up tokens {@code text[from … to)} behind those so far, in one forward pass over their positions. */
    public void append(int[] text, int from, int to) {
        int count = to - from;
        if (count < 1 || count > capacity() - size()) {
            throw new IllegalArgumentException(
                    count + " tokens after " + size() + "; at least one, and " + capacity() + " in all");
        }
        CachedTrunk.Pass pass = count == 1 ? one : trunk.pass(1, count, true);
        this.text[0] = text;
        start[0] = from;
        trunk.append(pass, this.text, start);
        finalNorm.forward(normed, pass.out());
        ops.linearForward(logits, normed, trunk.ends().head(), null, false);
    }

    /** Logits of the last token that was taken up; V floats. */
    public void readLogits(MemorySegment to) {
        device.read(logits, to);
        Softcap.apply(to, model);
    }
}
