package pacer.trainer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.dist.Collectives;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.optim.Optimizer;

/**
 * Brings what ranks keep to rank 0, which alone reads and writes checkpoints, and back: so the others may be on hosts that have none of the run's
 * files. Rank 0 says piece by piece what it wants; the others {@linkplain #serve serve} until it is done.
 */
final class StateExchange {
    /** Bytes that pass at once. */
    static final int PIECE = 1 << 22;

    private static final int DONE = 0;
    private static final int WORKING = 1;
    private static final int FETCH = 2;
    private static final int GIVE = 3;

    private static final int WORDS = 5; // what, whose, which, from which element, how many

    private final Collectives ranks;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment words = arena.allocate(4L * WORDS, 64);
    private final Tensor request = tensor(DType.I32, words);
    private MemorySegment piece; // of who serves; when first needed

    StateExchange(Collectives ranks) {
        this.ranks = ranks;
    }

    /** Rank 0 says that it is at work, which is why nothing is heard of it. */
    void working() {
        ask(WORKING, 0, 0, 0, 0);
    }

    /** Rank 0 says that it needs nothing more. */
    void done() {
        ask(DONE, 0, 0, 0, 0);
    }

    /** Copies elements of the {@code state}th tensor that {@code rank} keeps to {@code to}, all of it. */
    void fetch(int rank, int state, long from, MemorySegment to) {
        for (long at = 0; at < to.byteSize(); at += PIECE) {
            MemorySegment part = to.asSlice(at, Math.min(PIECE, to.byteSize() - at));
            ask(FETCH, rank, state, from + at / 4, part.byteSize() / 4);
            ranks.send(tensor(DType.F32, part), rank, 0);
        }
    }

    /** Copies {@code values}, at most a piece, to elements of the {@code state}th tensor that {@code rank} keeps. */
    void give(int rank, int state, long from, MemorySegment values) {
        ask(GIVE, rank, state, from, values.byteSize() / 4);
        ranks.send(tensor(DType.F32, values), 0, rank);
    }

    private void ask(int... words) {
        if (ranks.size() > 1) {
            MemorySegment.copy(words, 0, this.words, ValueLayout.JAVA_INT, 0, WORDS);
            ranks.broadcast(request, 0);
        }
    }

    private void ask(int what, int rank, int state, long from, long elements) {
        ask(new int[] {what, rank, state, Math.toIntExact(from), Math.toIntExact(elements)});
    }

    /** What the other ranks do meanwhile. */
    void serve(Device device, List<Optimizer.State> own) {
        while (true) {
            ranks.broadcast(request, 0);
            int what = word(0);
            if (what == DONE) {
                return;
            }
            if (what != WORKING) {
                pass(what, word(1), device, own);
            }
        }
    }

    private void pass(int what, int rank, Device device, List<Optimizer.State> own) {
        Tensor values = null;
        if (rank == ranks.rank()) {
            if (piece == null) {
                piece = arena.allocate(PIECE, 64);
            }
            MemorySegment memory = piece.asSlice(0, 4L * word(4));
            values = tensor(DType.F32, memory);
            Tensor kept = own.get(word(2)).tensor();
            Tensor part = kept.slice(kept.name(), word(3), word(4));
            if (what == FETCH) {
                device.read(part, memory);
                ranks.send(values, rank, 0);
            } else {
                ranks.send(values, 0, rank);
                device.write(part, memory);
            }
        } else {
            ranks.send(null, what == FETCH ? rank : 0, what == FETCH ? 0 : rank);
        }
    }

    private int word(int which) {
        return words.getAtIndex(ValueLayout.JAVA_INT, which);
    }

    /** What rank 0 has, on every rank. */
    byte[] fromFirst(byte[] ofFirst) {
        if (ranks.size() == 1) {
            return ofFirst;
        }
        MemorySegment length = arena.allocate(4, 64);
        length.set(ValueLayout.JAVA_INT, 0, ranks.rank() == 0 ? ofFirst.length : 0);
        ranks.broadcast(tensor(DType.I32, length), 0);
        MemorySegment padded = padded(length.get(ValueLayout.JAVA_INT, 0));
        if (ranks.rank() == 0) {
            MemorySegment.copy(ofFirst, 0, padded, ValueLayout.JAVA_BYTE, 0, ofFirst.length);
        }
        ranks.broadcast(tensor(DType.I32, padded), 0);
        return padded.asSlice(0, length.get(ValueLayout.JAVA_INT, 0)).toArray(ValueLayout.JAVA_BYTE);
    }

    /** What every rank has, by rank, on rank 0; nothing on the others. */
    List<byte[]> toFirst(byte[] own) {
        List<byte[]> all = new ArrayList<>();
        for (int rank = 1; rank < ranks.size(); rank++) {
            MemorySegment length = arena.allocate(4, 64);
            length.set(ValueLayout.JAVA_INT, 0, own.length);
            ranks.send(tensor(DType.I32, length), rank, 0);
            MemorySegment padded = padded(length.get(ValueLayout.JAVA_INT, 0));
            if (ranks.rank() == rank) {
                MemorySegment.copy(own, 0, padded, ValueLayout.JAVA_BYTE, 0, own.length);
            }
            ranks.send(tensor(DType.I32, padded), rank, 0);
            all.add(padded.asSlice(0, length.get(ValueLayout.JAVA_INT, 0)).toArray(ValueLayout.JAVA_BYTE));
        }
        all.addFirst(own);
        return ranks.rank() == 0 ? all : List.of();
    }

    private MemorySegment padded(int bytes) {
        return arena.allocate(4L * Math.max(1, Math.ceilDiv(bytes, 4)), 64);
    }

    private static Tensor tensor(DType type, MemorySegment memory) {
        int elements = Math.toIntExact(memory.byteSize() / type.bytes());
        return new Tensor("piece", type, memory.address(), elements, elements);
    }
}
