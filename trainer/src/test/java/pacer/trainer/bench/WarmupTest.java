package pacer.trainer.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

class WarmupTest {
    private static Warmup run(double mostSeconds, IntToDoubleFunction millis) {
        Warmup warmup = new Warmup(mostSeconds);
        for (int step = 0; !warmup.isOver(); step++) {
            warmup.add(millis.applyAsDouble(step));
        }
        return warmup;
    }

    @Test
    void isOverWhenStepsGetNoFaster() {
        // 1 s to 0.1 s over ten windows of three steps, then as fast as that
        Warmup warmup = run(1000, step -> Math.max(200, 1000 - 100 * (step / 3)));
        assertThat(warmup.isSteady()).isTrue();
        assertThat(warmup.steps()).isEqualTo(3 * (9 + Warmup.NO_BETTER));
    }

    @Test
    void aSlowWindowOnTheWayIsForgiven() {
        Warmup warmup = run(1000, step -> step / 3 == 2 ? 5000 : Math.max(200, 1000 - 100 * (step / 3)));
        assertThat(warmup.steps()).isEqualTo(3 * (9 + Warmup.NO_BETTER));
    }

    @Test
    void gettingALittleFasterIsSteady() {
        assertThat(run(1000, step -> 1000 * Math.pow(0.999, step)).isSteady()).isTrue();
    }

    @Test
    void shortStepsAreJudgedOverHalfASecond() {
        Warmup warmup = run(1000, step -> 10);
        assertThat(warmup.steps()).isEqualTo(3 * 50);
    }

    @Test
    void endsAtItsTimeWithoutBeingSteady() {
        Warmup warmup = run(3, step -> 1000 * Math.pow(0.9, step));
        assertThat(warmup.isSteady()).isFalse();
        assertThat(warmup.steps()).isEqualTo(4);
    }
}
