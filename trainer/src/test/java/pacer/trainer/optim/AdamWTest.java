package pacer.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations.AdamW;
import pacer.trainer.ops.Tensor;
import pacer.trainer.ops.reference.ReferenceDevice;

/** The update rule, as the reference has it. */
class AdamWTest {
    private static final AdamW SETTINGS = new AdamW(0.9f, 0.95f, 1e-8f);

    private final Device device = new ReferenceDevice();

    @AfterEach
    void close() {
        device.close();
    }

    @Test
    void followsPyTorchOverTenSteps() throws IOException {
        assumeTrue(
                Files.isReadable(GoldenOptimizers.folder().resolve("optimizers.safetensors")),
                "no recording of PyTorch's optimizers at "
                        + GoldenOptimizers.folder().toAbsolutePath().normalize()
                        + "; name the folder above golden/ by -Dpacer.shared");
        GoldenOptimizers golden = GoldenOptimizers.read();
        JsonNode s = golden.settings().get("adamw");
        float rate = s.get("lr").floatValue();
        float decay = s.get("weight_decay").floatValue();
        AdamW settings = new AdamW(
                s.get("betas").get(0).floatValue(),
                s.get("betas").get(1).floatValue(),
                s.get("eps").floatValue());
        Parameter w = new Parameter(golden.whole("W.init"), 48, 80);
        Parameter b = new Parameter(golden.whole("b.init"), 80); // decays too: PyTorch does so without parameter groups
        for (int step = 1; step <= 10; step++) {
            write(w.gradient, golden.part("W.grads", step - 1));
            write(b.gradient, golden.part("b.grads", step - 1));
            w.update(0, 48 * 80, settings, rate, decay, 1, step);
            b.update(0, 80, settings, rate, decay, 1, step);
            assertThat(distance(read(w.weights), golden.part("adamw.W", step - 1)))
                    .as("W after step %d", step)
                    .isLessThan(5e-7);
            assertThat(distance(read(b.weights), golden.part("adamw.b", step - 1)))
                    .as("b after step %d", step)
                    .isLessThan(5e-7);
        }
    }

    @Test
    void decaysApartFromTheGradient() {
        Parameter p = new Parameter(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        p.update(0, 6, SETTINGS, 0.1f, 0.5f, 1, 1); // gradients are zero
        assertThat(read(p.weights)).containsExactly(0.95f, 1.9f, 2.85f, 3.8f, 4.75f, 5.7f);
    }

    /** At step 1 the corrected moments are the gradient and its square, whatever the betas: the step is the rate. */
    @Test
    void firstStepIsTheRateInEachDirection() {
        Parameter p = new Parameter(new float[] {1, 1, 1}, 3);
        write(p.gradient, new float[] {1e-3f, -7, 100});
        p.update(0, 3, SETTINGS, 0.25f, 0, 1, 1);
        assertThat(read(p.weights)).containsExactly(new float[] {0.75f, 1.25f, 0.75f}, within(1e-5f));
    }

    @Test
    void givesTheSameBitsHoweverTheElementsAreDivided() {
        Parameter whole = random(7, 5);
        Parameter parts = random(7, 5);
        for (int step = 1; step <= 3; step++) {
            whole.update(0, 35, SETTINGS, 1e-2f, 0.1f, 0.5f, step);
            for (long from = 0; from < 35; from += 16) {
                parts.update(from, Math.min(from + 16, 35), SETTINGS, 1e-2f, 0.1f, 0.5f, step);
            }
        }
        assertThat(read(parts.weights)).containsExactly(read(whole.weights));
        assertThat(read(parts.secondMoment)).containsExactly(read(whole.secondMoment));
    }

    @Test
    void clippingScalesTheGradient() {
        Parameter scaled = new Parameter(new float[] {1, -2, 3}, 3);
        Parameter plain = new Parameter(new float[] {1, -2, 3}, 3);
        write(scaled.gradient, new float[] {4, 8, -2});
        write(plain.gradient, new float[] {1, 2, -0.5f});
        scaled.update(0, 3, SETTINGS, 1e-2f, 0, 0.25f, 1);
        plain.update(0, 3, SETTINGS, 1e-2f, 0, 1, 1);
        assertThat(read(scaled.weights)).containsExactly(read(plain.weights));
        assertThat(read(scaled.firstMoment)).containsExactly(read(plain.firstMoment));
    }

    /** A parameter with gradient and moments. */
    private final class Parameter {
        final Tensor weights;
        final Tensor gradient;
        final Tensor firstMoment;
        final Tensor secondMoment;

        Parameter(float[] values, int... shape) {
            weights = device.allocate("weights", DType.F32, shape);
            gradient = device.allocate("gradient", DType.F32, shape);
            firstMoment = device.allocate("firstMoment", DType.F32, shape);
            secondMoment = device.allocate("secondMoment", DType.F32, shape);
            write(weights, values);
        }

        void update(long from, long to, AdamW settings, float rate, float decay, float gradientScale, long step) {
            device.operations()
                    .adamW(
                            weights,
                            gradient,
                            firstMoment,
                            secondMoment,
                            from,
                            to,
                            settings,
                            rate,
                            decay,
                            gradientScale,
                            step);
        }
    }

    /** The same values at each call. */
    private Parameter random(int rows, int columns) {
        SplittableRandom random = new SplittableRandom(7);
        Parameter p = new Parameter(normal(random, rows * columns), rows, columns);
        write(p.gradient, normal(random, rows * columns));
        return p;
    }

    private static float[] normal(SplittableRandom random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private void write(Tensor tensor, float[] values) {
        try (Arena arena = Arena.ofConfined()) {
            device.write(tensor, arena.allocateFrom(ValueLayout.JAVA_FLOAT, values));
        }
    }

    private float[] read(Tensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(tensor.size() * 4);
            device.read(tensor, host);
            return host.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** ‖ours - theirs‖ / ‖theirs‖. */
    private static double distance(float[] ours, float[] theirs) {
        assertThat(ours).hasSameSizeAs(theirs);
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < ours.length; i++) {
            difference += Math.pow((double) ours[i] - theirs[i], 2);
            norm += Math.pow(theirs[i], 2);
        }
        return Math.sqrt(difference / norm);
    }
}
