package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.event.TrainingEvent;

class EventLogTest {
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.678Z");

    @TempDir
    Path run;

    private Path file;
    private Fence fence;
    private final List<String> damage = new ArrayList<>();

    @BeforeEach
    void acquire() throws IOException {
        file = run.resolve("events.jsonl");
        fence = Fence.acquire(run, Duration.ofSeconds(10), damage::add);
    }

    @Test
    void readsBackEveryKindOfEvent() throws IOException {
        List<TrainingEvent> events = List.of(
                new TrainingEvent.Started(TIME, 0, 2000, 804096, 768, 1, "cpu", 12345678901L, null),
                step(1, 4.17),
                step(2, Double.NaN),
                new TrainingEvent.Skipped(TIME, 2, Double.POSITIVE_INFINITY, Double.NaN, "loss is not finite"),
                new TrainingEvent.Validated(TIME, 250, 1.25, 1000, true),
                new TrainingEvent.Sampled(TIME, 250, "\n", "It was the \"best\"\nof times — ü 🦄"),
                new TrainingEvent.Checkpointed(TIME, 250, "checkpoints/step-000250", 1 << 20, 12.5),
                new TrainingEvent.Notice(TIME, 0, "initial loss 4.17, ln(65) = 4.17"),
                new TrainingEvent.Finished(TIME, 2000, 1.5, 1.6, 30.25, 1e6),
                new TrainingEvent.Failed(TIME, 2000, "gone", true));
        try (EventLog log = EventLog.open(file, fence)) {
            for (TrainingEvent event : events) {
                log.append(event);
            }
            log.sync();
        }

        assertThat(EventLog.read(file, damage::add)).isEqualTo(events);
        assertThat(Files.readAllLines(file)).hasSize(events.size());
        assertThat(Files.readAllLines(file).get(4))
                .isEqualTo("{\"event\":\"validated\",\"time\":\"2026-01-02T03:04:05.678Z\",\"step\":250,\"loss\":1.25,"
                        + "\"tokens\":1000,\"best\":true}");
        assertThat(damage).isEmpty();
    }

    @Test
    void aLaterEpochTakesOverAndTheEarlierOneCanAddNothing() throws IOException {
        try (EventLog old = EventLog.open(file, fence)) {
            old.append(step(1, 4));
            Fence next = Fence.acquire(run, Duration.ofSeconds(10), damage::add);
            assertThatThrownBy(() -> old.append(step(2, 3))).isInstanceOf(FencedException.class);
            assertThatThrownBy(() -> EventLog.open(file, fence)).isInstanceOf(FencedException.class);
            try (EventLog log = EventLog.open(file, next)) {
                log.append(List.of(step(2, 3.5), step(3, 3)));
            }
        }
        assertThat(EventLog.read(file, damage::add)).containsExactly(step(1, 4), step(2, 3.5), step(3, 3));
    }

    @Test
    void anUnfinishedLastLineIsNoEventAndIsCutOffByTheNextWriter() throws IOException {
        String whole = EventLog.line(step(1, 4)) + "\n";
        // longer than the window in which its beginning is looked for
        String torn = EventLog.line(new TrainingEvent.Notice(TIME, 1, "x".repeat(10_000)));
        for (String tail : List.of("", "{", torn)) {
            Files.writeString(file, whole + tail);
            assertThat(EventLog.read(file, damage::add)).containsExactly(step(1, 4));
            try (EventLog log = EventLog.open(file, fence)) {
                log.append(step(2, 3));
            }
            assertThat(Files.readString(file)).isEqualTo(whole + EventLog.line(step(2, 3)) + "\n");
        }
        Files.writeString(file, torn);
        EventLog.open(file, fence).close();
        assertThat(file).isEmptyFile();
        assertThat(damage).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"'',abc,abc", "ab,abc,abc", "abc,ab,abc", "abX,abcd,abXcd", "abXc,abcd,abXcd", "abc,'',abc", "X,ab,Xab"
    })
    void eventsOfAnotherHostAreAddedFromWhereTheTwoPart(String here, String there, String both) throws IOException {
        // a line each, longer than the window in which they are compared
        Files.writeString(file, lines(here));
        Path other = Files.writeString(run.resolve("other"), lines(there));
        try (EventLog log = EventLog.open(file, fence)) {
            log.join(other);
        }
        assertThat(Files.readString(file)).isEqualTo(lines(both));
    }

    private static String lines(String names) {
        return names.chars()
                .mapToObj(name -> String.valueOf((char) name).repeat(50_000) + "\n")
                .collect(Collectors.joining());
    }

    @Test
    void linesThatPartInTheMiddleAreKeptWhole() throws IOException {
        Files.writeString(file, "one\ntwo of here\n");
        Path other = Files.writeString(run.resolve("other"), "one\ntwo of there\nthree\n");
        try (EventLog log = EventLog.open(file, fence)) {
            log.join(other);
        }
        assertThat(Files.readString(file)).isEqualTo("one\ntwo of here\ntwo of there\nthree\n");
    }

    @Test
    void aDamagedLineIsLeftOutAndSaid() throws IOException {
        Files.writeString(file, EventLog.line(step(1, 4)) + "\n\0\0\0\n");
        Files.writeString(
                file, "{\"event\":\"unheard-of\"}\n" + EventLog.line(step(2, 3)) + "\n", StandardOpenOption.APPEND);

        assertThat(EventLog.read(file, damage::add)).containsExactly(step(1, 4), step(2, 3));
        assertThat(damage).hasSize(2);
        assertThat(damage.getFirst()).startsWith(file + ": line 2: is no event: ");
        assertThat(damage.getLast())
                .startsWith(file + ": line 3: is no event: ")
                .contains("unheard-of");
        assertThat(EventLog.read(run.resolve("none"), damage::add)).isEmpty();
    }

    @Test
    void ofRepetitionsAfterAResumeTheFirstCounts() {
        TrainingEvent.Sampled sampled = new TrainingEvent.Sampled(TIME, 2, "a", "b");
        TrainingEvent.Notice notice = new TrainingEvent.Notice(TIME, 2, "slow");
        List<TrainingEvent> once = List.of(
                step(1, 4),
                step(2, 3),
                new TrainingEvent.Validated(TIME, 2, 3, 1, true),
                sampled,
                new TrainingEvent.Sampled(TIME, 2, "a", "c"),
                notice,
                new TrainingEvent.Notice(TIME, 2, "slower"),
                step(3, 2));
        List<TrainingEvent> twice = new ArrayList<>(once);
        Instant later = TIME.plusSeconds(60);
        twice.add(7, new TrainingEvent.Step(later, 2, 3, 1, 1e-3, 8, 1000));
        twice.add(8, new TrainingEvent.Sampled(later, 2, "a", "c"));
        twice.add(9, new TrainingEvent.Notice(later, 2, "slow"));

        assertThat(EventLog.firstOccurrences(twice)).isEqualTo(once);
    }

    @Test
    void everyLaunchCountsAndEveryReasonOfAFailure() {
        TrainingEvent first = new TrainingEvent.Started(TIME, 0, 9, 1, 1, 1, "one machine", 0, null);
        TrainingEvent second =
                new TrainingEvent.Started(TIME.plusSeconds(9), 0, 9, 1, 1, 1, "another machine", 0, null);
        TrainingEvent full = new TrainingEvent.Failed(TIME, 2, "disk full", true);
        TrainingEvent again = new TrainingEvent.Failed(TIME.plusSeconds(9), 2, "disk full", true);
        TrainingEvent gone = new TrainingEvent.Failed(TIME.plusSeconds(9), 2, "disk gone", true);
        assertThat(EventLog.firstOccurrences(List.of(first, full, second, again, gone)))
                .containsExactly(first, full, second, gone);
    }

    private static TrainingEvent.Step step(int step, double loss) {
        return new TrainingEvent.Step(TIME, step, loss, 1, 1e-3, 8, 1000);
    }

    @Test
    void itsEndTellsHowItStands() throws IOException {
        List<TrainingEvent> events = IntStream.rangeClosed(1, 50_000)
                .<TrainingEvent>mapToObj(s -> step(s, 3))
                .toList();
        try (EventLog log = EventLog.open(file, fence)) {
            log.append(events);
        }
        assertThat(EventLog.read(file, damage::add))
                .as("lines longer than a buffer, and buffers that end in a line")
                .isEqualTo(events);
        for (int most : new int[] {1, 1000, 1001, 100_000, 1 << 30}) {
            List<TrainingEvent> end = new ArrayList<>();
            EventLog.readEnd(file, most, end::add);
            assertThat(end).isEqualTo(events.subList(events.size() - end.size(), events.size()));
            assertThat(end).hasSizeGreaterThanOrEqualTo(Math.min(events.size(), most / 250));
        }
        assertThat(damage).isEmpty();
    }
}
