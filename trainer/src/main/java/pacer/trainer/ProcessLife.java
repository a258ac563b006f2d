package pacer.trainer;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.checkpoint.FencedException;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.data.BadDataException;
import pacer.trainer.eval.NoNumbersException;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.SpecException;

/**
 * How a trainer process lives and ends: events on standard output, everything else on standard error; standard input is held open by
 * the parent, and its end means that the parent is gone; SIGTERM and SIGINT ask for an end with a checkpoint; the exit code says
 * what a retry would bring. The line {@code checkpoint} on standard input asks for one.
 */
final class ProcessLife {
    static final int FINISHED = 0;
    static final int FAILED = 1;
    static final int BAD_INPUT = 2;
    static final int STOPPED = 3;
    static final int FENCED = 4;

    /** What a process does; returns its exit code. */
    @FunctionalInterface
    interface Work {
        int run(ProcessLife life) throws IOException;
    }

    /** Writes down why this process failed. */
    @FunctionalInterface
    interface Memoir {
        void write(TrainingEvent.Failed failed) throws IOException;
    }

    /** Longest wait for a checkpoint after a signal: whoever sent it will send SIGKILL before that. */
    private static final long GRACE_SECONDS = 600;

    private final FileOutputStream output = new FileOutputStream(FileDescriptor.out);
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicBoolean checkpoint = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();
    private volatile Memoir memoir = failed -> {};
    private volatile int code = FAILED;
    private volatile int lastStep;

    private ProcessLife() {}

    /** Runs {@code work} as this process and ends it. */
    static void run(Work work) {
        ProcessLife life = new ProcessLife();
        // a library that prints must not be taken for an event
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
        Thread.ofPlatform().daemon().name("parent-watch").start(life::endWithParent);
        Runtime.getRuntime().addShutdownHook(new Thread(life::endInOrder, "end-in-order"));
        try {
            life.code = life.attempt(work);
        } finally {
            life.ended.countDown(); // whatever happened: the end waits for it
        }
        System.exit(life.code);
    }

    /** Whether a signal asked for an end. */
    boolean isStopping() {
        return stop.get();
    }

    /** Whether the parent has asked for a checkpoint since this was asked last. */
    boolean takeCheckpointRequest() {
        return checkpoint.getAndSet(false);
    }

    /** Has a failure written down, from here on, before it is told. */
    void recordFailure(Memoir where) {
        memoir = where;
    }

    /** Writes an event to standard output. */
    void say(TrainingEvent event) {
        say(List.of(event));
    }

    /** Writes events to standard output. */
    void say(List<TrainingEvent> events) {
        StringBuilder lines = new StringBuilder();
        for (TrainingEvent event : events) {
            lastStep = event.step();
            lines.append(EventLog.line(event)).append('\n');
        }
        write(lines.toString());
    }

    private void write(String text) {
        try {
            output.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("standard output is closed: the parent is gone", e);
        }
    }

    private int attempt(Work work) {
        try {
            return work.run(this);
        } catch (FencedException e) {
            return failed(FENCED, e.getMessage(), false, null);
        } catch (SpecException
                | BadDataException
                | InvalidFileException
                | TrainingFailedException
                | NoNumbersException e) {
            return failed(BAD_INPUT, e.getMessage(), false, null);
        } catch (OutOfMemoryError e) {
            return failed(
                    BAD_INPUT,
                    "out of memory: " + e.getMessage()
                            + "; lower train.microBatch or model sizes, or use a larger machine",
                    false,
                    null);
        } catch (IOException | RuntimeException | Error e) { // an Error too has a cause that the log should name
            if (e.getCause() instanceof FencedException fenced) { // while an event was told
                return failed(FENCED, fenced.getMessage(), false, null);
            }
            return failed(FAILED, e.toString(), true, e);
        }
    }

    private int failed(int exitCode, String reason, boolean retryable, Throwable trace) {
        System.err.println(reason);
        if (trace != null) {
            trace.printStackTrace();
        }
        TrainingEvent.Failed failed = new TrainingEvent.Failed(Instant.now(), lastStep, reason, retryable);
        try {
            if (exitCode != FENCED) { // the run is another process's now
                memoir.write(failed);
            }
        } catch (IOException | RuntimeException e) {
            System.err.println(
                    "the failure cannot be written down: " + e.getMessage()); // a full disk may be its reason
        }
        try {
            say(failed);
        } catch (UncheckedIOException e) {
            System.err.println(e.getMessage());
        }
        return exitCode;
    }

    /** The next line of standard input that asks for nothing; empty when a signal asks for an end before. */
    Optional<String> awaitLine() {
        try {
            return lines.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /** Tells the parent that a work is done and the next can come. */
    void awaitMore() {
        memoir = failed -> {};
        checkpoint.set(false);
        write(Trainer.DONE + "\n");
    }

    private void endWithParent() {
        try {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            int read = System.in.read();
            while (read >= 0) {
                if (read == '\n') {
                    hear(line.toString(StandardCharsets.UTF_8));
                    line.reset();
                } else {
                    line.write(read);
                }
                read = System.in.read();
            }
        } catch (IOException e) {
            System.err.println("standard input: " + e.getMessage());
        }
        Runtime.getRuntime().halt(FAILED);
    }

    private void hear(String said) {
        if (said.equals(Trainer.CHECKPOINT)) {
            checkpoint.set(true);
        } else {
            lines.add(Optional.of(said));
        }
    }

    private void endInOrder() {
        stop.set(true);
        lines.add(Optional.empty());
        try {
            if (!ended.await(GRACE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("no end within " + GRACE_SECONDS + " s of the signal");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(code);
    }
}
