package pacer.activities.publishing.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent.Step;

class RunHistoryTest {
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");

    @TempDir
    private Path folder;

    private static Step step(int number) {
        return new Step(TIME, number, 1.0 / number, 1, 1e-3, number == 1 ? 1000 : 10, 1e5);
    }

    @Test
    void ofVeryManyStepsSomeAreKeptAndAllAreCounted() throws IOException {
        Path file = folder.resolve("events.jsonl");
        int most = 250_001;
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            for (int s = 1; s <= most; s++) {
                out.write(EventLog.line(step(s)) + "\n");
                if (s == 1000) {
                    out.write(EventLog.line(step(1000)) + "\n"); // taken again after a resume
                }
            }
        }
        RunHistory history = RunHistory.read(file);
        assertThat(history.steps())
                .hasSizeBetween(50_000, 100_001)
                .startsWith(step(1))
                .endsWith(step(most));
        assertThat(history.steps().get(1).step() - history.steps().get(0).step())
                .isEqualTo(4);
        assertThat(history.stepSeconds()).isCloseTo(1 + (most - 1) * 0.01, within(1e-3));
        assertThat(history.tokensPerSecond()).isCloseTo(1e5, within(1e-3));
        assertThat(RunHistory.readEnd(file).steps().getLast()).isEqualTo(step(most));
    }
}
