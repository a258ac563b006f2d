package pacer.trainer.text;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Works on blocks in several threads and hands the results on in the order of the blocks, in the calling thread. What
 * is under way at once is bounded in number and bytes, so memory does not depend on the size of the file.
 */
final class BlockPipeline implements AutoCloseable {
    private static final int BLOCKS_A_THREAD = 3;

    private final ExecutorService workers;
    private final int mostBlocks;
    private final long mostBytes;

    /** What becomes of a block. */
    interface Work<R> {
        R of(Block block) throws IOException;
    }

    /** Where results go. */
    interface Sink<R> {
        void take(Block block, R result) throws IOException;

        /** An error for people, of a fault in the next block, which begins at {@code offset}. */
        RuntimeException failed(long offset, BadTextException fault);
    }

    private record Pending<R>(Block block, Future<R> result) {}

    BlockPipeline(int threads, int blockBytes) {
        this.workers = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("tokenize-", 0).factory());
        this.mostBlocks = BLOCKS_A_THREAD * threads;
        this.mostBytes = (long) mostBlocks * blockBytes;
    }

    /**
     * Works through all blocks. Of several faults it is always the first in the file that is reported.
     *
     * @throws InterruptedException if the calling thread is interrupted
     */
    <R> void run(BlockReader blocks, Work<R> work, Sink<R> sink) throws IOException, InterruptedException {
        Deque<Pending<R>> pending = new ArrayDeque<>();
        long bytes = 0;
        BadTextException unread = null;
        while (unread == null) {
            Block block = null;
            try {
                block = blocks.next();
            } catch (BadTextException e) {
                unread = e;
            }
            if (block == null) {
                break;
            }
            while (!pending.isEmpty() && (pending.size() == mostBlocks || bytes + block.length() > mostBytes)) {
                bytes -= takeFirst(pending, sink);
            }
            Block next = block;
            pending.addLast(new Pending<>(next, workers.submit(() -> work.of(next))));
            bytes += next.length();
        }
        while (!pending.isEmpty()) {
            takeFirst(pending, sink);
        }
        if (unread != null) {
            throw sink.failed(blocks.offset(), unread);
        }
    }

    private static <R> int takeFirst(Deque<Pending<R>> pending, Sink<R> sink) throws IOException, InterruptedException {
        Pending<R> first = pending.removeFirst();
        try {
            sink.take(first.block(), first.result().get());
            return first.block().length();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case BadTextException fault -> throw sink.failed(first.block().offset(), fault);
                case IOException io -> throw io;
                case RuntimeException bug -> throw bug;
                case Error error -> throw error;
                default -> throw new IllegalStateException(e.getCause());
            }
        }
    }

    /** Stops what is under way and waits until it has. */
    @Override
    public void close() {
        workers.shutdownNow();
        workers.close();
    }
}
