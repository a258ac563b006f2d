package pacer.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.ScheduleSpec;

class ScheduleTest {
    private static final OptimizerSpec OPTIMIZER = OptimizerSpec.adamW(1e-3, 0.9, 0.99, 1e-8, 0.1);

    /** nanoGPT's quickstart: get_lr at rate 1e-3, warmup 100, decay 2000, floor 1e-4. */
    @ParameterizedTest
    @CsvSource({
        "0, 9.900990099009901e-06",
        "1, 1.9801980198019803e-05",
        "99, 0.0009900990099009901",
        "100, 0.001",
        "101, 0.0009999993848585915",
        "1050, 0.00055",
        "1999, 0.00010000061514140841",
        "2000, 0.0001",
        "2001, 0.0001",
        "100000, 0.0001"
    })
    void warmsUpAndFallsAsNanoGptDoes(long step, double expected) {
        Schedule schedule =
                Schedule.of(new ScheduleSpec(ScheduleSpec.Type.COSINE, 100, 2000, 0.1, 0.4, 0), OPTIMIZER, 5000);
        assertThat(schedule.learningRate(step)).isCloseTo(expected, within(expected * 1e-12));
    }

    @Test
    void decaysOverTheWholeRunWhereNoEndIsGiven() {
        Schedule schedule = Schedule.of(new ScheduleSpec(ScheduleSpec.Type.COSINE, 0, 0, 0.25, 0.4, 0), OPTIMIZER, 400);
        assertThat(schedule.learningRate(0)).isEqualTo(1e-3);
        assertThat(schedule.learningRate(200)).isCloseTo(0.625e-3, within(1e-15));
        assertThat(schedule.learningRate(400)).isEqualTo(0.25e-3);
    }

    @Test
    void neverRisesAfterWarmup() {
        Schedule schedule = Schedule.of(new ScheduleSpec(ScheduleSpec.Type.COSINE, 7, 101, 0, 0.4, 0), OPTIMIZER, 1);
        for (int step = 7; step < 200; step++) {
            assertThat(schedule.learningRate(step + 1)).isLessThanOrEqualTo(schedule.learningRate(step));
        }
        assertThat(schedule.learningRate(101)).isZero();
    }

    @Test
    void staysConstantAfterWarmup() {
        Schedule schedule =
                Schedule.of(new ScheduleSpec(ScheduleSpec.Type.CONSTANT, 3, 10, 0.1, 0.4, 0), OPTIMIZER, 20);
        assertThat(schedule.learningRate(0)).isEqualTo(0.25e-3);
        assertThat(schedule.learningRate(2)).isEqualTo(0.75e-3);
        assertThat(schedule.learningRate(3)).isEqualTo(1e-3);
        assertThat(schedule.learningRate(1000)).isEqualTo(1e-3);
    }

    @Test
    void isDefinedWhereWarmupFillsTheDecay() {
        Schedule schedule = Schedule.of(new ScheduleSpec(ScheduleSpec.Type.COSINE, 10, 10, 0.1, 0.4, 0), OPTIMIZER, 20);
        assertThat(schedule.learningRate(9)).isCloseTo(1e-3 * 10 / 11, within(1e-18));
        assertThat(schedule.learningRate(10)).isEqualTo(1e-4);
    }

    /** modded-nanogpt's get_lr with 1,390 iterations and a cooldown_frac of 0.4. */
    @ParameterizedTest
    @CsvSource({
        "0, 1",
        "833, 1",
        "834, 1",
        "835, 0.9982014388489209",
        "1112, 0.5",
        "1389, 0.0017985611510791",
        "1390, 0",
        "2000, 0"
    })
    void staysThenFallsInAStraightLineAsModdedNanoGptDoes(long step, double expected) {
        Schedule schedule = Schedule.of(new ScheduleSpec(ScheduleSpec.Type.LINEAR, 0, 0, 0, 0.4, 0), OPTIMIZER, 1390);
        assertThat(schedule.learningRate(step)).isCloseTo(1e-3 * expected, within(1e-15));
    }

    @Test
    void aTrapezoidWarmsUpAndEndsAtItsFloor() {
        Schedule schedule =
                Schedule.of(new ScheduleSpec(ScheduleSpec.Type.LINEAR, 9, 100, 0.1, 0.5, 0), OPTIMIZER, 200);
        assertThat(schedule.learningRate(4)).isCloseTo(0.5e-3, within(1e-18));
        assertThat(schedule.learningRate(50)).isEqualTo(1e-3);
        assertThat(schedule.learningRate(75)).isCloseTo(0.55e-3, within(1e-15));
        assertThat(schedule.learningRate(100)).isEqualTo(1e-4);
        assertThat(schedule.learningRate(150)).isEqualTo(1e-4);
    }
}
