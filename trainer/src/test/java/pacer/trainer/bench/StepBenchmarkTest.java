package pacer.trainer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.TrainSpec.Precision;

class StepBenchmarkTest {
    private static final OptimizerSpec ADAMW = OptimizerSpec.adamW(1e-3, 0.9, 0.99, 1e-8, 0.1);
    private static final ModelSpec BIASED = ModelSpec.gpt2(2, 2, 32, 32, 50, true, Activation.GELU_TANH, 1e-5, 0, true);
    private static final ModelSpec PLAIN = ModelSpec.gpt2(2, 2, 32, 32, 50, false, Activation.GELU_ERF, 1e-5, 0, false);

    @TempDir
    private Path cache;

    private static BenchCase what(ModelSpec model, int sequences, int microSteps, Precision precision) {
        return new BenchCase(
                "tiny", model, sequences, 16, microSteps, 1.0, ADAMW, precision, 2, Gemms.Kind.VECTOR, 1337, 2, 0);
    }

    private void losesAsPyTorchDoes(BenchCase what, double tolerance, Double... losses) throws IOException {
        List<Double> ours = StepBenchmark.measure(what, cache).losses();
        assertThat(ours).hasSize(BenchCase.COMPARED_STEPS);
        for (int i = 0; i < losses.length; i++) {
            assertThat(ours.get(i)).isCloseTo(losses[i], within(tolerance));
        }
    }

    /** The losses are those that {@code pytorch_step.py} printed for the same cases, with PyTorch 2.15.0. */
    @Test
    void takesTheStepsThatPyTorchTakes() throws IOException {
        losesAsPyTorchDoes(
                what(BIASED, 4, 2, Precision.FP32),
                2e-6,
                3.9277697801589966,
                3.945426821708679,
                3.9273226261138916,
                3.9290980100631714);
        losesAsPyTorchDoes(
                what(PLAIN, 3, 1, Precision.FP32),
                2e-6,
                3.897333860397339,
                3.93788743019104,
                3.899432420730591,
                3.905245780944824);
        losesAsPyTorchDoes(
                what(PLAIN, 3, 1, Precision.BF16),
                2e-3,
                3.897352457046509,
                3.9378960132598877,
                3.899376630783081,
                3.905146598815918);
    }

    @Test
    void measuresWhatItSays() throws IOException {
        long before = System.currentTimeMillis();
        StepResult result = StepBenchmark.measure(what(BIASED, 4, 2, Precision.FP32), cache);

        assertThat(StepResult.parse(result.json())).isEqualTo(result);
        assertThat(result.steps()).isEqualTo(2);
        assertThat(result.warmupSteps()).isEqualTo(BenchCase.COMPARED_STEPS);
        assertThat(result.steady()).isFalse();
        assertThat(result.tokens()).isEqualTo(4 * 16 * 2);
        assertThat(result.parameters()).isEqualTo(28096);
        assertThat(result.tokensPerSecond()).isCloseTo(128 / result.millis().median() * 1e3, within(1e-6));
        assertThat(result.firstStepEpochMillis()).isBetween((double) before, (double) System.currentTimeMillis());
        if (System.getProperty("os.name").equals("Linux")) {
            assertThat(result.peakBytes()).isBetween(20_000_000L, 20_000_000_000L);
        }
    }

    @Test
    void aCaseReadsBackAsItIs() throws IOException {
        BenchCase what = what(PLAIN, 3, 1, Precision.BF16);
        assertThat(what.json()).contains("\"activation\":\"gelu_erf\"", "\"precision\":\"bf16\"");
        assertThat(BenchCase.parse(what.json())).isEqualTo(what);
    }

    @Test
    void sequencesLongerThanTheModelAreRefused() {
        assertThatThrownBy(() ->
                        new BenchCase("tiny", PLAIN, 1, 33, 1, 1, ADAMW, Precision.FP32, 1, Gemms.Kind.AUTO, 1, 1, 0))
                .hasMessage("sequences of 33 tokens, the model has 32 positions");
    }
}
