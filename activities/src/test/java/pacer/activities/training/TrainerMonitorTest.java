package pacer.activities.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import pacer.activities.run.Progress;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

class TrainerMonitorTest {
    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    private final List<Progress> told = new ArrayList<>();
    private final TrainerMonitor monitor = new TrainerMonitor(event -> {}, told::add);

    private void hear(TrainingEvent event) throws IOException {
        monitor.line(0, EventLog.line(event));
    }

    @Test
    void theLossThatIsSeenFromAfarIsTheSameMeanAsTheBars() throws IOException {
        hear(new TrainingEvent.Step(NOON, 1, 4, 1, 1e-3, 10, 100));
        hear(new TrainingEvent.Step(NOON, 2, 2, 1, 1e-3, 10, 100));
        assertThat(told).extracting(Progress::loss).containsExactly(4.0, 3.9);
    }

    @Test
    void whatWasMeasuredLastIsToldUntilItIsMeasuredAgain() throws IOException {
        hear(new TrainingEvent.Step(NOON, 1, 4, 1, 1e-3, 10, 100));
        hear(TrainingEvent.HellaSwag.of(NOON, 1, 3, 8));
        hear(new TrainingEvent.Validated(NOON, 1, 3.5, 100, true));
        hear(new TrainingEvent.Step(NOON, 2, 2, 1, 1e-3, 10, 100));
        hear(TrainingEvent.HellaSwag.of(NOON, 2, 4, 8));
        assertThat(told).extracting(Progress::hellaSwag).containsExactly(null, 0.375, 0.375, 0.375, 0.5);
        assertThat(told).extracting(Progress::validationLoss).containsExactly(null, null, 3.5, 3.5, 3.5);
    }

    @Test
    void severalProcessesAreSaid() throws IOException {
        hear(new TrainingEvent.Started(NOON, 0, 10, 1, 1, 4, "CPU, 1 thread a lane", 0, null));
        assertThat(told)
                .extracting(Progress::text)
                .containsExactly("training on 4 processes, each: CPU, 1 thread a lane");
    }
}
