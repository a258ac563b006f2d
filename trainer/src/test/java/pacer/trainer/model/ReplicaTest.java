package pacer.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.CpuDevice;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.ModelSpec;

class ReplicaTest {
    private static final int SEQUENCES = 4;
    private static final int LENGTH = 8;

    private static ModelSpec model(boolean bias, boolean tied) {
        return ModelSpec.gpt2(2, 2, 32, LENGTH, 37, bias, Activation.GELU_ERF, 1e-5, 0, tied);
    }

    private static Replica open(ModelSpec model, DType products, int lanes, int passTokens) throws IOException {
        List<Device> devices = new ArrayList<>();
        CpuDevice first = CpuDevice.open(1, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
        devices.add(first);
        while (devices.size() < lanes) {
            devices.add(first.sibling(1));
        }
        Replica replica =
                new Replica(model, MemoryPolicy.STANDARD, devices, products, SEQUENCES, LENGTH, passTokens, true);
        Initialization.of(model, replica.parameters(), 1, replica.device(), replica.weights());
        replica.weightsChanged();
        return replica;
    }

    /** The gradients of a step of two micro-steps over batches that {@code seed} draws. */
    private static float[] step(Replica replica, long seed) {
        Random random = new Random(seed);
        try (Arena arena = Arena.ofShared()) {
            replica.zeroGradients();
            for (int micro = 0; micro < 2; micro++) {
                MemorySegment tokens = arena.allocate(4L * SEQUENCES * LENGTH, 64);
                for (int i = 0; i < SEQUENCES * LENGTH; i++) {
                    tokens.setAtIndex(
                            ValueLayout.JAVA_INT,
                            i,
                            random.nextInt(replica.model().vocabulary()));
                }
                replica.forwardBackward(tokens, tokens, 1f / 64, DropoutPlan.NONE);
            }
            replica.reduceGradients();
            MemorySegment all = arena.allocate(4 * replica.gradients().size(), 64);
            replica.device().read(replica.gradients(), all);
            return all.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    @ParameterizedTest
    @CsvSource({"true,true,F32", "false,false,F32", "true,false,BF16"})
    void aStepsGradientsHoldNothingOfTheStepBefore(boolean bias, boolean tied, DType products) throws IOException {
        try (Replica used = open(model(bias, tied), products, 2, 1);
                Replica fresh = open(model(bias, tied), products, 2, 1)) {
            step(used, 1);
            assertThat(step(used, 2)).isEqualTo(step(fresh, 2));
        }
    }

    @ParameterizedTest
    @CsvSource({"true,true", "false,false"})
    void gradientsAreTheSameHoweverABatchIsDivided(boolean bias, boolean tied) throws IOException {
        try (Replica whole = open(model(bias, tied), DType.F32, 1, SEQUENCES * LENGTH);
                Replica divided = open(model(bias, tied), DType.F32, 2, 1)) {
            float[] expected = step(whole, 3);
            float[] found = step(divided, 3);
            double squares = 0;
            double squaresOfDifferences = 0;
            for (int i = 0; i < expected.length; i++) {
                squares += Math.pow(expected[i], 2);
                squaresOfDifferences += Math.pow(expected[i] - found[i], 2);
            }
            assertThat(Math.sqrt(squaresOfDifferences / squares)).isLessThan(1e-6);
        }
    }
}
