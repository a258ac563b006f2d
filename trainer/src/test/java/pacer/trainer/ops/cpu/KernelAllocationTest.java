package pacer.trainer.ops.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import pacer.trainer.model.Decoder;
import pacer.trainer.model.DropoutPlan;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Initialization;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/** A vector that the compiler puts into a box costs several times its arithmetic; compiled kernels must not make any. */
class KernelAllocationTest {

    @Test
    void aCompiledStepAllocatesNextToNothing() throws Exception {
        ModelSpec model = ModelSpec.gpt2(2, 2, 64, 32, 65, true, Activation.GELU_TANH, 1e-5, 0.1, true);
        Engine engine =
                new Engine(Engine.Kind.CPU, 1, Precision.FP32, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
        try (Replica replica = engine.open(model, 4, 32, true);
                Arena arena = Arena.ofConfined()) {
            Initialization.of(model, replica.parameters(), 1, replica.device(), replica.weights());
            MemorySegment tokens = arena.allocate(4L * 4 * 32, 64);
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long least = Long.MAX_VALUE;
            // until C2 has compiled it all; boxes would go on
            for (int step = 0; step < 3000 && least > 500_000; step++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                replica.forwardBackward(tokens, tokens, 1f / 128, new DropoutPlan(0.1f, 1, step, 0));
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            // a step works on some 60,000 vectors: 5 MB if each were boxed once
            assertThat(least).isLessThanOrEqualTo(500_000);
        }
    }

    @ParameterizedTest
    @EnumSource(names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
    void aCompiledTokenAllocatesNextToNothing(Precision precision) throws Exception {
        ModelSpec model = ModelSpec.gpt2(2, 2, 64, 32, 65, true, Activation.GELU_TANH, 1e-5, 0, true);
        Engine engine = new Engine(Engine.Kind.CPU, 1, precision, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
        try (Replica replica = engine.open(model, 1, 32, false)) {
            Decoder decoder = replica.decoder();
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long least = Long.MAX_VALUE;
            for (int i = 0; i < 20_000 && least > 20_000; i++) {
                decoder.truncate(i == 0 ? 0 : Math.min(decoder.size(), 30));
                long before = threads.getCurrentThreadAllocatedBytes();
                decoder.append(new int[1], 0, 1);
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            // a token works on some 7,000 vectors: 500 kB if each were boxed once
            assertThat(least).isLessThanOrEqualTo(20_000);
        }
    }
}
