package pacer.trainer.dist;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import pacer.trainer.dist.Peer.Call;
import pacer.trainer.dist.Peer.Operation;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Tensor;

/**
 * Ranks in processes on one or several hosts, each connected to every other over TCP. Tensors lie in host memory. All-reduce is
 * reduce-scatter, then all-gather, so each rank sends and receives 2 (N-1)/N of a tensor, which is the least there can be.
 *
 * <p>Nothing waits without end: a rank that is silent for {@link Group#timeout} or gone is named in a {@link CollectiveException},
 * here and, where it can be said, on the other ranks. For use by one thread at a time.
 */
public final class SocketCollectives implements Collectives {
    /** Bytes passed at once: large enough for few rounds, small enough to fit socket buffers and be added while in cache. */
    private static final int CHUNK = 1 << 18;
    /** How long to wait for another rank's explanation when several are silent and only one can be the cause. */
    private static final long EXPLANATION_NANOS = 1_000_000_000;

    private final Group group;
    private final Selector selector;
    /** By rank; null at the own. */
    private final Peer[] peers;

    private final Arena arena = Arena.ofShared();
    /** By rank, what it sent of the chunk at hand. */
    private final MemorySegment[] received;
    /** What the round at hand sends to each rank and receives from it; null for nothing. */
    private final MemorySegment[] to;

    private final MemorySegment[] from;
    private final MemorySegment number;
    private long calls;
    private String failure;

    private SocketCollectives(Group group, SocketChannel[] channels) throws IOException {
        this.group = group;
        this.selector = Selector.open();
        this.peers = new Peer[group.size()];
        this.received = new MemorySegment[group.size()];
        this.to = new MemorySegment[group.size()];
        this.from = new MemorySegment[group.size()];
        this.number = arena.allocate(8, 8);
        for (int rank = 0; rank < group.size(); rank++) {
            received[rank] = arena.allocate(CHUNK, 64);
            if (rank != group.rank()) {
                channels[rank].configureBlocking(false);
                SelectionKey key = channels[rank].register(selector, 0);
                peers[rank] = new Peer(rank, channels[rank], key);
                key.attach(peers[rank]);
            }
        }
    }

    /** Bytes that each of {@code ranks} keeps for what others send. */
    public static long bufferBytes(int ranks) {
        return ranks > 1 ? (long) ranks * CHUNK : 0;
    }

    /**
     * Joins the group; returns when every rank has.
     *
     * @throws CollectiveException when not all are there in time, or some do not fit together
     */
    public static SocketCollectives join(Group group) {
        SocketChannel[] channels = Assembly.assemble(group);
        try {
            return new SocketCollectives(group, channels);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int rank() {
        return group.rank();
    }

    @Override
    public int size() {
        return group.size();
    }

    @Override
    public void allReduce(Tensor tensor) {
        MemorySegment memory = memory(tensor);
        Call call = next(Operation.ALL_REDUCE, memory.byteSize());
        Partition even = Partition.even(tensor.size(), size());
        sumShards(call, tensor, memory, even);
        exchangeShards(call, tensor, memory, even);
    }

    @Override
    public void reduceScatter(Tensor tensor, Partition partition) {
        MemorySegment memory = memory(tensor);
        sumShards(next(Operation.REDUCE_SCATTER, memory.byteSize()), tensor, memory, partition);
    }

    @Override
    public void allGather(Tensor tensor, Partition partition) {
        MemorySegment memory = memory(tensor);
        exchangeShards(next(Operation.ALL_GATHER, memory.byteSize()), tensor, memory, partition);
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
        if (root < 0 || root >= size()) {
            throw new IllegalArgumentException("there is no rank " + root + " among " + size());
        }
        MemorySegment memory = memory(tensor);
        Call call = next(Operation.BROADCAST, memory.byteSize());
        for (long at = 0; at < memory.byteSize(); at += CHUNK) {
            MemorySegment chunk = memory.asSlice(at, Math.min(CHUNK, memory.byteSize() - at));
            for (int other = 0; other < size(); other++) {
                to[other] = rank() == root ? chunk : null;
                from[other] = other == root ? chunk : null;
            }
            pass(call);
        }
    }

    @Override
    public void send(Tensor tensor, int from, int to) {
        if (from < 0 || to < 0 || from >= size() || to >= size() || from == to) {
            throw new IllegalArgumentException("rank " + from + " cannot send to rank " + to + " among " + size());
        }
        // the others cannot know how much it is
        Call call = next(Operation.SEND, 0);
        if (rank() == from || rank() == to) {
            MemorySegment memory = memory(tensor);
            for (long at = 0; at < memory.byteSize(); at += CHUNK) {
                Arrays.fill(this.to, null);
                Arrays.fill(this.from, null);
                (rank() == from ? this.to : this.from)[rank() == from ? to : from] =
                        memory.asSlice(at, Math.min(CHUNK, memory.byteSize() - at));
                pass(call);
            }
        }
    }

    @Override
    public double allReduce(double value) {
        return sum(next(Operation.SUM, 8), value);
    }

    @Override
    public void barrier() {
        sum(next(Operation.BARRIER, 0), 0);
    }

    /** Shard {@code rank()} of {@code memory} becomes the sum of every rank's, in the order of ranks. */
    private void sumShards(Call call, Tensor tensor, MemorySegment memory, Partition partition) {
        if (tensor.dtype() != DType.F32) {
            throw new IllegalArgumentException("only F32 tensors can be summed over ranks; got " + tensor);
        }
        Chunks[] chunks = chunks(memory, tensor.dtype(), partition);
        while (advance(chunks)) {
            MemorySegment mine = chunks[rank()].now;
            for (int other = 0; other < size(); other++) {
                to[other] = chunks[other].now;
                from[other] = mine == null ? null : received[other].asSlice(0, mine.byteSize());
            }
            pass(call);
            if (mine != null) {
                received[rank()].asSlice(0, mine.byteSize()).copyFrom(mine);
                SumKernels.addInOrder(mine, received);
            }
        }
    }

    /** Every rank's own shard of {@code memory} becomes that shard everywhere. */
    private void exchangeShards(Call call, Tensor tensor, MemorySegment memory, Partition partition) {
        Chunks[] chunks = chunks(memory, tensor.dtype(), partition);
        while (advance(chunks)) {
            for (int other = 0; other < size(); other++) {
                to[other] = chunks[rank()].now;
                from[other] = chunks[other].now;
            }
            pass(call);
        }
    }

    /** The pieces of a rank's shard, cut into chunks. */
    private static final class Chunks {
        private final MemorySegment memory;
        private final int width;
        private final List<Partition.Piece> pieces;
        private int piece;
        private long at; // bytes into the piece
        /** The chunk at hand; null after the last. */
        private MemorySegment now;

        Chunks(MemorySegment memory, int width, List<Partition.Piece> pieces) {
            this.memory = memory;
            this.width = width;
            this.pieces = pieces;
        }

        boolean advance() {
            if (piece == pieces.size()) {
                now = null;
                return false;
            }
            Partition.Piece of = pieces.get(piece);
            long length = Math.min(CHUNK, of.size() * width - at);
            now = memory.asSlice(of.from() * width + at, length);
            at += length;
            if (at == of.size() * width) {
                piece++;
                at = 0;
            }
            return true;
        }
    }

    private Chunks[] chunks(MemorySegment memory, DType type, Partition partition) {
        if (partition.shards().size() != size()) {
            throw new IllegalArgumentException(
                    "a partition over " + partition.shards().size() + " ranks, of " + size());
        }
        return partition.shards().stream()
                .map(pieces -> new Chunks(memory, type.bytes(), pieces))
                .toArray(Chunks[]::new);
    }

    /** Every rank's next chunk; false when no rank has one. */
    private static boolean advance(Chunks[] chunks) {
        boolean any = false;
        for (Chunks ofRank : chunks) {
            any |= ofRank.advance();
        }
        return any;
    }

    private double sum(Call call, double value) {
        number.set(ValueLayout.JAVA_DOUBLE, 0, value);
        for (int other = 0; other < size(); other++) {
            to[other] = number;
            from[other] = received[other].asSlice(0, 8);
        }
        pass(call);
        received[rank()].set(ValueLayout.JAVA_DOUBLE, 0, value);
        double sum = received[0].get(ValueLayout.JAVA_DOUBLE, 0);
        for (int rank = 1; rank < size(); rank++) {
            sum += received[rank].get(ValueLayout.JAVA_DOUBLE, 0);
        }
        return sum;
    }

    /** Sends {@link #to} and receives {@link #from}, with all ranks at once so that no two can wait for each other. */
    private void pass(Call call) {
        if (failure != null) {
            throw new CollectiveException(failure);
        }
        Peer at = null;
        try {
            int open = 0;
            for (Peer peer : peers) {
                if (peer != null) {
                    at = peer;
                    peer.begin(call, to[peer.rank], from[peer.rank]);
                    peer.advance(call);
                    open += peer.isDone() ? 0 : 1;
                }
            }
            while (open > 0) {
                selector.select(untilDeadline(call) / 1_000_000 + 1);
                if (Thread.currentThread().isInterrupted()) {
                    throw fail(call, "interrupted");
                }
                for (SelectionKey key : selector.selectedKeys()) {
                    at = (Peer) key.attachment();
                    boolean wasDone = at.isDone();
                    at.advance(call);
                    open -= !wasDone && at.isDone() ? 1 : 0;
                }
                selector.selectedKeys().clear();
            }
        } catch (ClosedByInterruptException e) {
            throw fail(call, "interrupted");
        } catch (Peer.UnexpectedFrameException e) {
            throw fail(call, "rank " + at.rank + " " + e.getMessage());
        } catch (IOException e) {
            throw fail(call, "rank " + at.rank + " is gone (" + e.getMessage() + "); see why it ended");
        }
    }

    /** Nanoseconds until the first silence is too long; fails when it is. */
    private long untilDeadline(Call call) {
        long now = System.nanoTime();
        long timeout = group.timeout().toNanos();
        long left = Long.MAX_VALUE;
        List<String> silent = new ArrayList<>();
        int waiting = 0;
        for (Peer peer : peers) {
            if (peer != null && !peer.isDone()) {
                waiting++;
                // one rank that hangs makes others wait; those see it a little earlier or later than we do, and will
                // say so
                long mine = timeout - (now - peer.progress());
                left = Math.min(left, mine);
                if (mine <= 0) {
                    silent.add(Integer.toString(peer.rank));
                }
            }
        }
        if (silent.isEmpty()) {
            return left;
        }
        if (waiting > 1 && left > -EXPLANATION_NANOS) {
            return left + EXPLANATION_NANOS;
        }
        throw fail(
                call,
                "rank " + String.join(", ", silent) + " has been silent for "
                        + group.timeout().toMillis() / 1000.0
                        + " s: it hangs, or is busy for longer than the timeout allows");
    }

    private CollectiveException fail(Call call, String reason) {
        failure = group + ": " + call + ": " + reason;
        for (Peer peer : peers) {
            if (peer != null) {
                peer.giveUp(reason);
            }
        }
        return new CollectiveException(failure);
    }

    private Call next(Operation operation, long bytes) {
        return new Call(calls++, operation, bytes);
    }

    private static MemorySegment memory(Tensor tensor) {
        if (!tensor.isContiguous()) {
            throw new IllegalArgumentException("only contiguous tensors can be passed between ranks; got " + tensor);
        }
        return MemorySegment.ofAddress(tensor.address())
                .reinterpret(tensor.size() * tensor.dtype().bytes());
    }

    @Override
    public void close() {
        try {
            for (Peer peer : peers) {
                if (peer != null) {
                    peer.channel.close();
                }
            }
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            arena.close();
        }
    }
}
