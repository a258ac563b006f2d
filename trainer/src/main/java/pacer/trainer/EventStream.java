package pacer.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/**
 * Writes events to the run's log and then, as they count once they are there, tells them: in order, on a thread of its own, as
 * JSON, file lock and write take as long as a tenth of a small model's step. Steps wait a moment for the next ones, so
 * that many are written at once; everything else is written at once, with what waits before it.
 *
 * <p>What a killed process has not written yet are steps after its last checkpoint: they are taken again.
 */
final class EventStream implements Consumer<TrainingEvent>, AutoCloseable {
    /** A person does not see less than this. */
    private static final Duration MOMENT = Duration.ofMillis(100);

    private final EventLog log;
    private final Consumer<List<TrainingEvent>> tell;
    private final List<TrainingEvent> waiting = new ArrayList<>();
    private boolean urgent;
    private boolean writing;
    private boolean closed;
    private Throwable failure;
    private boolean thrown; // to whoever gave or awaited an event

    /**
     * Begins a stream.
     *
     * @param log null for a rank that keeps none
     * @param tell hears what has been written
     */
    EventStream(EventLog log, Consumer<List<TrainingEvent>> tell) {
        this.log = log;
        this.tell = tell;
        Thread.ofPlatform().daemon().name("events").start(this::write);
    }

    /**
     * Takes an event.
     *
     * @throws RuntimeException as writing an earlier one did; an Error likewise
     */
    @Override
    public synchronized void accept(TrainingEvent event) {
        throwFailure();
        waiting.add(event);
        urgent |= !(event instanceof TrainingEvent.Step);
        notifyAll();
    }

    /** Waits until all is written and told, and makes it last through a power cut. */
    void sync() throws IOException {
        flush();
        if (log != null) {
            log.sync();
        }
    }

    private synchronized void flush() {
        urgent = true;
        notifyAll();
        boolean interrupted = false;
        while (failure == null && (writing || !waiting.isEmpty())) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true; // what is told must be told all the same
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        throwFailure();
    }

    private void throwFailure() {
        if (failure != null) {
            thrown = true;
            switch (failure) {
                case Error e -> throw e;
                case RuntimeException e -> throw e;
                case IOException e -> throw new UncheckedIOException(e);
                default -> throw new IllegalStateException(failure);
            }
        }
    }

    private void write() {
        try {
            for (List<TrainingEvent> events = next(); !events.isEmpty(); events = next()) {
                // signs of life count for the moment, and would fill the file
                List<TrainingEvent> kept = events.stream()
                        .filter(event -> !(event instanceof TrainingEvent.Working))
                        .toList();
                if (log != null && !kept.isEmpty()) {
                    log.append(kept);
                }
                tell.accept(events);
                written(null);
            }
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            written(e); // an Error too: who waits for this thread must not wait for ever
        }
    }

    /** What is to be written now; nothing when there will be nothing more. */
    private synchronized List<TrainingEvent> next() throws InterruptedException {
        while (waiting.isEmpty() && !closed) {
            wait();
        }
        long end = System.nanoTime() + MOMENT.toNanos();
        for (long left = MOMENT.toMillis(); !urgent && !closed && left > 0; ) {
            wait(left);
            left = (end - System.nanoTime()) / 1_000_000;
        }
        List<TrainingEvent> events = List.copyOf(waiting);
        waiting.clear();
        urgent = false;
        writing = !events.isEmpty();
        return events;
    }

    private synchronized void written(Throwable e) {
        writing = false;
        failure = e;
        notifyAll();
    }

    /** Writes what waits; what could not be written is thrown, unless that has been done. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
            if (thrown) {
                return;
            }
        }
        flush();
    }
}
