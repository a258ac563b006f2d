package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * How well texts continue contexts: the losses of continuations, several contexts at once. A context is taken through the model once,
 * however many continuations of it are measured, one after the other. All buffers are planned once.
 */
public final class Continuations {
    /** Rows whose logits are there at once: enough for a product, few beside the rest. */
    private static final int LOGIT_ROWS = 128;

    private static final int IGNORED = -1;

    private final ModelSpec model;
    private final Device device;
    private final Operations ops;
    private final CachedTrunk trunk;
    private final int sequences; // B
    private final Head head;
    private final Tensor targets; // (B·maxT) I32
    private final Tensor losses; // (B·maxT)
    private final MemorySegment hostTargets;
    private final MemorySegment hostLosses;
    private final int[] starts;
    private int[]
            last = {}; // the last token of each context, which is the first of what its continuation is predicted from

    /** Plans for {@code sequences} contexts. */
    Continuations(ModelSpec model, Device device, CachedTrunk trunk, int sequences) {
        this.model = model;
        this.device = device;
        this.ops = device.operations();
        this.trunk = trunk;
        this.sequences = sequences;
        int rows = sequences * trunk.capacity();
        targets = device.allocate("targets", DType.I32, rows);
        losses = device.allocate("losses", DType.F32, rows);
        long row = 4L * DType.F32.paddedStride(model.vocabulary());
        head = new Head(
                model,
                new MemoryPolicy(0, LOGIT_ROWS * row),
                device,
                trunk.ends().head(),
                null,
                trunk.pass(sequences, trunk.capacity(), false).free().normed(),
                null,
                targets,
                losses);
        hostTargets = Arena.ofAuto().allocate(4L * rows, 64);
        hostLosses = Arena.ofAuto().allocate(4L * rows, 64);
        starts = new int[sequences];
    }

    /** Contexts at once. */
    public int sequences() {
        return sequences;
    }

    /** Tokens of the longest context with its continuation, but the last one of them, which predicts nothing. */
    public int capacity() {
        return trunk.capacity();
    }

    /** What a position sees from now on; forgets the contexts. */
    void setWindow(int tokens) {
        trunk.setWindow(tokens);
        last = new int[0];
    }

    /**
     * Takes up contexts, at most as many as there is room for, and forgets others.
     *
     * @param contexts tokens of each, at least one
     */
    public void begin(int[][] contexts) {
        if (contexts.length < 1 || contexts.length > sequences) {
            throw new IllegalArgumentException(contexts.length + " contexts; room for " + sequences);
        }
        last = new int[contexts.length];
        int[][] before = new int[contexts.length][];
        int longest = 0;
        for (int b = 0; b < contexts.length; b++) {
            trunk.truncate(b, 0);
            before[b] = Arrays.copyOf(contexts[b], contexts[b].length - 1);
            last[b] = contexts[b][before[b].length];
            longest = Math.max(longest, before[b].length);
        }
        if (longest > 0) {
            trunk.append(trunk.pass(contexts.length, longest, false), before, starts);
        }
    }

    /**
     * Measures a continuation of each context, as if nothing else came behind it.
     *
     * @param continuations tokens of each, at least one
     * @return of each, the sum of its tokens' losses, nats
     * @throws IllegalArgumentException where a context with the longest of them is more than there is room for
     */
    public double[] losses(int[][] continuations) {
        if (continuations.length != last.length) {
            throw new IllegalArgumentException(continuations.length + " continuations of " + last.length + " contexts");
        }
        int sequences = continuations.length;
        int positions = Arrays.stream(continuations)
                .mapToInt(tokens -> tokens.length)
                .max()
                .orElse(0);
        int rows = sequences * positions;
        int[][] texts = new int[sequences][];
        for (int b = 0; b < sequences; b++) {
            int[] continuation = continuations[b];
            texts[b] = new int[continuation.length];
            texts[b][0] = last[b];
            System.arraycopy(continuation, 0, texts[b], 1, continuation.length - 1);
            for (int t = 0; t < positions; t++) {
                int target = t < continuation.length ? continuation[t] : IGNORED;
                hostTargets.setAtIndex(ValueLayout.JAVA_INT, (long) b * positions + t, target);
            }
        }
        for (long row = rows; row < Math.min(targets.size(), (long) rows + LOGIT_ROWS); row++) {
            hostTargets.setAtIndex(ValueLayout.JAVA_INT, row, IGNORED); // what shares the last part of logits with them
        }
        CachedTrunk.Pass pass = trunk.pass(sequences, positions, false);
        trunk.append(pass, texts, starts);
        Normalization.of(model, ops, trunk.ends().finalNorm(), null, pass.free().statistics())
                .forward(pass.free().normed(), pass.out());
        device.write(targets, hostTargets);
        head.forget();
        head.forward(rows);
        device.read(losses, hostLosses);
        double[] sums = new double[sequences];
        for (int b = 0; b < sequences; b++) {
            for (int t = 0; t < continuations[b].length; t++) {
                sums[b] += hostLosses.getAtIndex(ValueLayout.JAVA_FLOAT, (long) b * positions + t);
            }
            trunk.truncate(b, trunk.size(b) - texts[b].length);
        }
        return sums;
    }
}
