package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchStepsTest {
    /** Ours 10, 20, 12 against 40, 40, 30: ratios 0.25, 0.5, 0.4; the ratio of the medians would be 0.3. */
    private final BenchSteps steps =
            BenchSamples.steps(BenchSamples.pair(10, 40), BenchSamples.pair(20, 40), BenchSamples.pair(12, 30));

    @Test
    void theRatioIsTheMedianOfThePairs() {
        assertThat(steps.headline())
                .isEqualTo("tiny, fp32: 0.40x (0.25 to 0.50) of PyTorch's time a step, 12.00 ms a step");
    }

    @Test
    void tablesHoldMediansAndEveryPair() {
        assertThat(steps.tables().getFirst().heads())
                .containsExactly("median of 3", "pacer", "PyTorch 2.15.0", "ratio");
        assertThat(steps.tables().getFirst().rows())
                .contains(
                        List.of("step, median", "12.00 ms", "40.00 ms", "0.40x (0.25 to 0.50)"),
                        List.of("step, 90th percentile", "18.00 ms", "60.00 ms", "0.40x (0.25 to 0.50)"),
                        List.of("CPU time a step", "24.00 ms", "80.00 ms", "0.40x (0.25 to 0.50)"),
                        List.of("tokens/s", "10.7k", "3.20k", "2.50x (2.00 to 4.00)"),
                        List.of("peak resident memory", "100 MB", "400 MB", "0.25x (0.25 to 0.25)"));
        assertThat(steps.tables().getLast().rows().get(1))
                .containsExactly("2", "20.00", "40.00", "40.00", "80.00", "0.50", "0.50");
    }

    @Test
    void oursAloneHasNoRatios() throws IOException {
        BenchSteps alone = new BenchSteps(
                BenchSamples.CASE, null, List.of(new BenchSteps.Pair(BenchSamples.side("pacer", 7, 3.9), null)));
        alone.requireSame();
        assertThat(alone.headline()).isEqualTo("tiny, fp32: 7.00 ms a step");
        assertThat(alone.line(0, 1)).isEqualTo("1/1  pacer 7.00 ms");
        assertThat(alone.tables().getFirst().rows()).contains(List.of("step, median", "7.00 ms"));
        assertThat(alone.remarks()).noneMatch(remark -> remark.contains("PyTorch"));
    }

    @Test
    void remarksSayWhatWasRun() {
        assertThat(steps.remarks())
                .contains(
                        "model: 2 layers, 2 heads, 32 wide, biases, gelu_tanh, vocabulary 50, 28,096 parameters",
                        "PyTorch 2.15.0: some runtime; CPU, 2 threads; one setting, another",
                        "AdamW in PyTorch, an update: fused 0.20 ms, loop 0.70 ms; its default was taken, as nanoGPT does on CPUs",
                        "the same weights and batches on both sides: the losses of the first 2 steps agree within 2.6e-06")
                .noneMatch(remark -> remark.contains("still getting faster"));
    }

    @Test
    void twoSidesThatComputeTheSamePass() {
        assertThatCode(steps::requireSame).doesNotThrowAnyException();
    }

    @Test
    void twoSidesThatDoNotComputeTheSameAreRefused() {
        refused(
                BenchSamples.side("PyTorch", 10, 3.9, 3.801),
                "losses of the first steps [3.9, 3.8] here, [3.9, 3.801] there");
        refused(BenchSamples.side("PyTorch", 10, 3.9, Double.NaN), "losses of the first steps");
        refused(BenchSamples.side("PyTorch", 10, 3.9), "losses reported 2 here, 1 there");
    }

    private static void refused(BenchSteps.Side theirs, String saying) {
        BenchSteps.Pair good = BenchSamples.pair(10, 20);
        BenchSteps.Pair bad = new BenchSteps.Pair(BenchSamples.side("pacer", 10, 3.9, 3.8), theirs);
        assertThatThrownBy(BenchSamples.steps(good, bad)::requireSame)
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("the two sides do not compute the same")
                .hasMessageContaining(saying);
    }
}
