package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Working;
import pacer.trainer.event.TrainingEvent.Working.Phase;

class SignsOfLifeTest {
    private final List<TrainingEvent> told = new ArrayList<>();
    private final AtomicLong nanos = new AtomicLong();
    private final SignsOfLife signs = new SignsOfLife(told::add, nanos::get);

    @Test
    void workIsToldAtMostEveryFewSeconds() {
        int times = 0;
        for (int micro = 1; micro <= 480; micro++) {
            nanos.addAndGet(100_000_000);
            times += signs.worked(2, Phase.MICRO_STEPS, micro, 480) ? 1 : 0;
        }
        assertThat(told).hasSize(times).hasSize(24);
        assertThat(told.getFirst()).isInstanceOfSatisfying(Working.class, first -> {
            assertThat(first.step()).isEqualTo(2);
            assertThat(first.inWords()).isEqualTo("step 3: micro-step 20 of 480");
        });
    }

    @Test
    void whereEventsAreFrequentNothingIsAdded() {
        for (int step = 1; step <= 100; step++) {
            nanos.addAndGet(1_500_000_000);
            signs.worked(step - 1, Phase.MICRO_STEPS, 1, 1);
            signs.accept(new TrainingEvent.Notice(Instant.EPOCH, step, "a step"));
        }
        assertThat(told).hasSize(100).noneMatch(Working.class::isInstance);
    }

    @Test
    void everyPhaseHasItsWords() {
        for (Phase phase : Phase.values()) {
            nanos.addAndGet(60_000_000_000L);
            signs.worked(7, phase, 400, 1000);
        }
        assertThat(told)
                .map(event -> ((Working) event).inWords())
                .containsExactly(
                        "step 8: micro-step 400 of 1000",
                        "validating 40%",
                        "HellaSwag 40%",
                        "sampling 40%",
                        "writing a checkpoint, 40%");
    }
}
