package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.AttentionSpec;

/** The first position that each position sees: of its own document, and of its window. */
final class Visibility {
    private final AttentionSpec attention;
    private final Device device;
    private final Tensor firstKey; // (B, T) I32
    private final MemorySegment host;

    private Visibility(AttentionSpec attention, Device device, Tensor firstKey) {
        this.attention = attention;
        this.device = device;
        this.firstKey = firstKey;
        this.host = Arena.ofAuto().allocate(4 * firstKey.size(), 64);
    }

    /** For batches of (B, T); null where each position sees all that came before. */
    static Visibility of(AttentionSpec attention, Device device, int b, int t) {
        return attention.limitsSight()
                ? new Visibility(attention, device, device.allocate("firstKey", DType.I32, b, t))
                : null;
    }

    /** (B, T) I32. */
    Tensor firstKey() {
        return firstKey;
    }

    /**
     * Looks at a batch.
     *
     * @param tokens int32 (B, T)
     * @param window tokens that a position sees; 0: all
     */
    void write(MemorySegment tokens, int window) {
        int length = firstKey.dim(1);
        for (int b = 0; b < firstKey.dim(0); b++) {
            int document = 0;
            for (int t = 0; t < length; t++) {
                long at = (long) b * length + t;
                document = document(attention, t, tokens.getAtIndex(ValueLayout.JAVA_INT, at), document);
                host.setAtIndex(ValueLayout.JAVA_INT, at, firstSeen(attention, t, document, window));
            }
        }
        device.write(firstKey, host);
    }

    /** Where the document of {@code position} begins, when that of the position before it begins at {@code before}. */
    static int document(AttentionSpec attention, int position, int token, int before) {
        return token == attention.documentToken() ? position : before;
    }

    /** The first position that {@code position} sees of its document. */
    static int firstSeen(AttentionSpec attention, int position, int document, int window) {
        if (window == 0) {
            return document;
        }
        int block = attention.windowBlock();
        int first = (position / block - Math.ceilDiv(window, block) + 1) * block;
        return Math.max(
                document,
                switch (attention.windowKind()) {
                    case TOKENS -> position - window + 1;
                    case BLOCKS -> first;
                    case BOTH -> Math.max(first, position - window + 1);
                });
    }
}
