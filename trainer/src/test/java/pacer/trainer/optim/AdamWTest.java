package pacer.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.ReferenceDevice;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

class AdamWTest {
    private final Device device = new ReferenceDevice();
    private final SplittableRandom random = new SplittableRandom(1);

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
        OptimizerSpec spec = new OptimizerSpec(
                OptimizerSpec.Type.ADAMW,
                s.get("lr").doubleValue(),
                s.get("betas").get(0).doubleValue(),
                s.get("betas").get(1).doubleValue(),
                s.get("eps").doubleValue(),
                s.get("weight_decay").doubleValue());
        Tensor w = tensor("W", golden.whole("W.init"), 48, 80);
        Tensor b = tensor("b", golden.whole("b.init"), 80);
        Tensor dW = device.allocate("dW", DType.F32, 48, 80);
        Tensor dB = device.allocate("db", DType.F32, 80);
        // the recording decays both, as torch.optim.AdamW does without parameter groups
        AdamW matrix = new AdamW(spec, device, List.of(w), List.of(dW));
        AdamW vector = new AdamW(spec, device, List.of(b.reshape(1, 80)), List.of(dB.reshape(1, 80)));
        for (int step = 1; step <= 10; step++) {
            write(dW, golden.part("W.grads", step - 1));
            write(dB, golden.part("b.grads", step - 1));
            matrix.update(device.operations(), 0, 48 * 80, spec.learningRate(), 1, step);
            vector.update(device.operations(), 0, 80, spec.learningRate(), 1, step);
            assertThat(distance(read(w), golden.part("adamw.W", step - 1)))
                    .as("W after step %d", step)
                    .isLessThan(2e-7);
            assertThat(distance(read(b), golden.part("adamw.b", step - 1)))
                    .as("b after step %d", step)
                    .isLessThan(2e-7);
        }
    }

    @Test
    void decaysMatricesAndLeavesVectors() {
        Tensor matrix = tensor("matrix", new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor vector = tensor("vector", new float[] {1, 2, 3}, 3);
        AdamW adamW = adamW(0.5, List.of(matrix, vector));
        adamW.update(device.operations(), 0, 9, 0.1, 1, 1); // gradients are zero
        assertThat(read(matrix)).containsExactly(0.95f, 1.9f, 2.85f, 3.8f, 4.75f, 5.7f);
        assertThat(read(vector)).containsExactly(1, 2, 3);
    }

    @Test
    void givesTheSameBitsHoweverTheElementsAreDivided() {
        List<Tensor> whole = parameters();
        List<Tensor> parts = parameters();
        List<Tensor> gradients =
                whole.stream().map(t -> random("d" + t.name(), t)).toList();
        AdamW one = new AdamW(spec(0.1), device, whole, gradients);
        AdamW many = new AdamW(spec(0.1), device, parts, gradients);
        assertThat(one.elements()).isEqualTo(7 * 5 + 3 + 11);
        for (int step = 1; step <= 3; step++) {
            one.update(device.operations(), 0, one.elements(), 1e-2, 0.5f, step);
            for (long from = 0; from < many.elements(); from += 16) {
                long to = Math.min(from + 16, many.elements());
                many.update(device.operations(), from, to, 1e-2, 0.5f, step);
            }
        }
        for (int i = 0; i < 3; i++) {
            assertThat(read(parts.get(i))).containsExactly(read(whole.get(i)));
            assertThat(read(many.parameters().get(i).secondMoment()))
                    .containsExactly(read(one.parameters().get(i).secondMoment()));
        }
    }

    @Test
    void updatesNothingOutsideItsRange() {
        List<Tensor> weights = parameters();
        AdamW adamW = adamW(0.1, weights);
        float[] first = read(weights.get(0));
        float[] last = read(weights.get(2));
        adamW.update(device.operations(), 30, 38, 1e-2, 1, 1);
        float[] after = read(weights.get(0));
        for (int i = 0; i < 35; i++) {
            assertThat(after[i] != first[i]).as("element %d", i).isEqualTo(i >= 30);
        }
        assertThat(read(weights.get(2))).containsExactly(last);
    }

    @Test
    void refusesRangesBeyondItsParameters() {
        AdamW adamW = adamW(0.1, parameters());
        assertThatThrownBy(() -> adamW.update(device.operations(), 0, 50, 1e-2, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("adamW: elements 0 to 50 of parameters that have 49");
    }

    @Test
    void namesItsStateAfterTheParameter() {
        AdamW.Parameter p = adamW(0.1, parameters()).parameters().get(1);
        assertThat(p.firstMoment()).hasToString("bias.exp_avg (3) F32");
        assertThat(p.secondMoment()).hasToString("bias.exp_avg_sq (3) F32");
        assertThat(p.start()).isEqualTo(35);
    }

    @Test
    void clippingScalesTheGradient() {
        Tensor scaled = tensor("scaled", new float[] {1, -2, 3}, 3);
        Tensor plain = tensor("plain", new float[] {1, -2, 3}, 3);
        Tensor gradient = tensor("gradient", new float[] {4, 8, -2}, 3);
        Tensor quarter = tensor("quarter", new float[] {1, 2, -0.5f}, 3);
        new AdamW(spec(0), device, List.of(scaled), List.of(gradient))
                .update(device.operations(), 0, 3, 1e-2, 0.25f, 1);
        new AdamW(spec(0), device, List.of(plain), List.of(quarter)).update(device.operations(), 0, 3, 1e-2, 1, 1);
        assertThat(read(scaled)).containsExactly(read(plain));
    }

    private AdamW adamW(double weightDecay, List<Tensor> weights) {
        List<Tensor> gradients = weights.stream()
                .map(t -> device.allocate("d" + t.name(), DType.F32, t.shape()))
                .toList();
        return new AdamW(spec(weightDecay), device, weights, gradients);
    }

    private static OptimizerSpec spec(double weightDecay) {
        return new OptimizerSpec(OptimizerSpec.Type.ADAMW, 1e-2, 0.9, 0.95, 1e-8, weightDecay);
    }

    /** The same values at each call. */
    private List<Tensor> parameters() {
        SplittableRandom values = new SplittableRandom(7);
        return List.of(random(values, "matrix", 7, 5), random(values, "bias", 3), random(values, "embedding", 11, 1));
    }

    private Tensor random(String name, Tensor like) {
        return random(random, name, like.shape());
    }

    private Tensor random(SplittableRandom source, String name, int... shape) {
        Tensor t = device.allocate(name, DType.F32, shape);
        float[] values = new float[(int) t.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) source.nextGaussian();
        }
        write(t, values);
        return t;
    }

    private Tensor tensor(String name, float[] values, int... shape) {
        Tensor t = device.allocate(name, DType.F32, shape);
        write(t, values);
        return t;
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
