package pacer.trainer.dist;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * The connection to one other rank, without blocking. What passes is cut into frames: a head that says which call it belongs to,
 * then its part of a tensor. Heads are compared with what this rank is doing, and a rank that gives up can say so between frames.
 */
final class Peer {
    /** Call number, operation, bytes of the whole call. */
    private static final int HEAD = 8 + 4 + 8;

    private static final int LONGEST_REASON = 1000;
    private static final int GAVE_UP = -1;

    final int rank;
    final SocketChannel channel;
    final SelectionKey key;

    private final ByteBuffer outHead = ByteBuffer.allocateDirect(HEAD);
    private final ByteBuffer inHead = ByteBuffer.allocateDirect(HEAD);
    private final ByteBuffer[] out = {outHead, null};
    private ByteBuffer outBody = ByteBuffer.allocate(0);
    private ByteBuffer inBody = ByteBuffer.allocate(0);
    private long progress;

    /** A frame other than the one expected. */
    static final class UnexpectedFrameException extends IOException {
        UnexpectedFrameException(String message) {
            super(message);
        }
    }

    Peer(int rank, SocketChannel channel, SelectionKey key) {
        this.rank = rank;
        this.channel = channel;
        this.key = key;
        outHead.limit(0);
        inHead.limit(0);
    }

    /** Begins to send {@code to} and to receive {@code from}, either of which may be null for nothing. */
    void begin(Call call, MemorySegment to, MemorySegment from) {
        if (to != null) {
            outHead.clear()
                    .putLong(call.number())
                    .putInt(call.operation().code)
                    .putLong(call.bytes())
                    .flip();
            outBody = to.asByteBuffer();
        }
        if (from != null) {
            inHead.clear();
            inBody = from.asByteBuffer();
        }
        progress = System.nanoTime();
    }

    boolean isSending() {
        return outHead.hasRemaining() || outBody.hasRemaining();
    }

    boolean isReceiving() {
        return inHead.hasRemaining() || inBody.hasRemaining();
    }

    boolean isDone() {
        return !isSending() && !isReceiving();
    }

    /** When a byte last passed. */
    long progress() {
        return progress;
    }

    /** Sends and receives what can pass without waiting, and asks the selector for the rest. */
    void advance(Call call) throws IOException {
        boolean moved = false;
        IOException broken = null;
        try {
            while (isSending()) {
                out[1] = outBody;
                if (channel.write(out) == 0) {
                    break;
                }
                moved = true;
            }
        } catch (IOException e) {
            broken = e; // what arrived before may say why
        }
        while (isReceiving()) {
            boolean head = inHead.hasRemaining();
            int read = channel.read(head ? inHead : inBody);
            if (read < 0) {
                throw new IOException("closed the connection");
            }
            if (read == 0) {
                break;
            }
            moved = true;
            if (head && !inHead.hasRemaining()) {
                check(call);
            }
        }
        if (broken != null) {
            throw broken;
        }
        if (moved) {
            progress = System.nanoTime();
        }
        int wanted = (isSending() ? SelectionKey.OP_WRITE : 0) | (isReceiving() ? SelectionKey.OP_READ : 0);
        if (key.interestOps() != wanted) {
            key.interestOps(wanted);
        }
    }

    private void check(Call call) throws IOException {
        inHead.flip();
        long number = inHead.getLong();
        int operation = inHead.getInt();
        long bytes = inHead.getLong();
        if (operation == GAVE_UP) {
            ByteBuffer reason = ByteBuffer.allocate((int) Math.min(bytes, LONGEST_REASON));
            while (reason.hasRemaining() && channel.read(reason) > 0) {
                // it was written at once behind its head
            }
            throw new UnexpectedFrameException("gave up: " + StandardCharsets.UTF_8.decode(reason.flip()));
        }
        Call theirs = new Call(number, Operation.of(operation), bytes);
        if (!theirs.equals(call)) {
            throw new UnexpectedFrameException("is at " + theirs + ", this rank at " + call
                    + ": every rank must make the same calls in the same order");
        }
    }

    /** Says, if it can be said now, why this rank gives up. */
    void giveUp(String reason) {
        if (isSending()) {
            return; // in the middle of a frame nothing else can be said
        }
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, LONGEST_REASON);
        ByteBuffer frame = ByteBuffer.allocate(HEAD + length)
                .putLong(0)
                .putInt(GAVE_UP)
                .putLong(length)
                .put(text, 0, length)
                .flip();
        try {
            channel.write(frame);
            channel.shutdownOutput();
        } catch (IOException ignored) {
            // whoever cannot be reached learns it from the closed connection
        }
    }

    /** What ranks do together. */
    enum Operation {
        ALL_REDUCE(1),
        REDUCE_SCATTER(2),
        ALL_GATHER(3),
        BROADCAST(4),
        SUM(5),
        BARRIER(6),
        SEND(7);

        private final int code;

        Operation(int code) {
            this.code = code;
        }

        private static Operation of(int code) throws IOException {
            for (Operation operation : values()) {
                if (operation.code == code) {
                    return operation;
                }
            }
            throw new IOException("sent what is no frame");
        }
    }

    /**
     * One call of all ranks.
     *
     * @param number of the call, from 0
     * @param bytes of the tensor
     */
    record Call(long number, Operation operation, long bytes) {
        @Override
        public String toString() {
            return "call " + number + ", " + operation + " of " + bytes + " bytes";
        }
    }
}
