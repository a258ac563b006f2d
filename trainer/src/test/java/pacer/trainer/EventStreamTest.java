package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.FencedException;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Working.Phase;

@Timeout(30)
class EventStreamTest {
    @TempDir
    private Path run;

    private final BlockingQueue<List<TrainingEvent>> told = new LinkedBlockingQueue<>();
    private EventLog log;

    @BeforeEach
    void open() throws IOException {
        log = EventLog.open(file(), Fence.acquire(run, Duration.ofSeconds(10), notice -> {}));
    }

    @AfterEach
    void close() throws IOException {
        log.close();
    }

    private Path file() {
        return run.resolve("events.jsonl");
    }

    private List<TrainingEvent> written() throws IOException {
        return EventLog.read(file(), damage -> {
            throw new IllegalStateException(damage);
        });
    }

    private static TrainingEvent step(int step) {
        return new TrainingEvent.Step(Instant.EPOCH, step, 4, 1, 1e-3, 10, 1000);
    }

    private static TrainingEvent validated(int step) {
        return new TrainingEvent.Validated(Instant.EPOCH, step, 4, 64, true);
    }

    private static TrainingEvent working(int step) {
        return new TrainingEvent.Working(Instant.EPOCH, step, Phase.VALIDATION, 1, 2);
    }

    @Test
    void writesInOrderAndSeveralStepsAtOnce() throws Exception {
        List<TrainingEvent> events = new ArrayList<>(
                IntStream.range(1, 1000).mapToObj(EventStreamTest::step).toList());
        events.add(500, validated(500));
        try (EventStream stream = new EventStream(log, told::add)) {
            events.forEach(stream);
        }
        assertThat(written()).isEqualTo(events);
        assertThat(told.stream().flatMap(List::stream)).containsExactlyElementsOf(events);
        assertThat(told).hasSizeLessThan(events.size() / 2);
    }

    @Test
    void whatIsNoStepIsToldAtOnceAndStepsAfterAMoment() throws Exception {
        try (EventStream stream = new EventStream(log, told::add)) {
            stream.accept(step(1));
            stream.accept(validated(1));
            assertThat(told.poll(10, TimeUnit.SECONDS)).endsWith(validated(1));
            stream.accept(step(2));
            assertThat(told.poll(10, TimeUnit.SECONDS)).containsExactly(step(2));
        }
    }

    @Test
    void whatIsToldIsWrittenAndSignsOfLifeAreNot() throws Exception {
        try (EventStream stream = new EventStream(log, events -> {
            try {
                assertThat(written())
                        .containsAll(events.stream()
                                .filter(event -> !(event instanceof TrainingEvent.Working))
                                .toList());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            told.add(events);
        })) {
            stream.accept(working(0));
            stream.accept(step(1));
            stream.accept(working(1));
            stream.sync();
            assertThat(written()).containsExactly(step(1));
            assertThat(told.stream().flatMap(List::stream)).containsExactly(working(0), step(1), working(1));
        }
    }

    @Test
    void afterALaterEpochBeganNothingIsWrittenOrToldAndTheTrainerLearnsOfIt() throws Exception {
        EventStream stream = new EventStream(log, told::add);
        stream.accept(step(1));
        stream.sync();
        told.clear();
        Fence.acquire(run, Duration.ofSeconds(10), notice -> {});
        stream.accept(step(2));
        assertThatThrownBy(stream::sync)
                .isInstanceOf(UncheckedIOException.class)
                .hasCauseInstanceOf(FencedException.class);
        assertThatThrownBy(() -> stream.accept(step(3))).hasCauseInstanceOf(FencedException.class);
        stream.close(); // it is known already
        assertThat(written()).containsExactly(step(1));
        assertThat(told).isEmpty();
    }

    @Test
    void closingTellsOfWhatCouldNotBeWritten() throws Exception {
        EventStream stream = new EventStream(log, told::add);
        Fence.acquire(run, Duration.ofSeconds(10), notice -> {});
        stream.accept(step(1));
        assertThatThrownBy(stream::close).hasCauseInstanceOf(FencedException.class);
    }

    @Test
    void closingTellsOfAFailureThatCameBeforeAndNobodyHeardOf() throws Exception {
        CountDownLatch failed = new CountDownLatch(1);
        EventStream stream = new EventStream(log, events -> {
            failed.countDown();
            throw new UncheckedIOException(new IOException("the parent is gone"));
        });
        stream.accept(validated(1));
        failed.await();
        Thread.sleep(50); // the failure is noted a moment later; the test holds either way
        assertThatThrownBy(stream::close).hasMessageContaining("the parent is gone");
    }

    @Test
    void anErrorReachesWhoeverWaitsAsItIs() {
        EventStream stream = new EventStream(log, events -> {
            throw new OutOfMemoryError("a test's");
        });
        stream.accept(validated(1));
        assertThatThrownBy(stream::sync).isInstanceOf(OutOfMemoryError.class).hasMessage("a test's");
        stream.close();
    }

    @Test
    void aRankWithoutALogTellsOnly() throws Exception {
        try (EventStream stream = new EventStream(null, told::add)) {
            stream.accept(validated(1));
            stream.sync();
        }
        assertThat(told).containsExactly(List.of(validated(1)));
    }
}
