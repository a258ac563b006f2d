package pacer.trainer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import pacer.trainer.model.DropoutPlan;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Initialization;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.optim.AdamWOptimizer;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/** Loads the product library and has the kernels compiled, by training a small model on nothing. */
final class WarmUp {
    private static final int STEPS = 40;
    private static final int SEQUENCES = 2;
    private static final int LENGTH = 32;

    private WarmUp() {}

    /** Takes steps until {@code enough} or all kernels are surely compiled; one thread, as the parent is busy starting. */
    static void run(Path cache, BooleanSupplier enough) throws IOException {
        ModelSpec model = new ModelSpec(1, 2, 64, LENGTH, 80, false, Activation.GELU_ERF, 1e-5, 0, true);
        OptimizerSpec rule = new OptimizerSpec(OptimizerSpec.Type.ADAMW, 1e-3, 0.9, 0.95, 1e-8, 0.1);
        Engine engine = new Engine(Engine.Kind.CPU, 1, Precision.FP32, Gemms.Kind.AUTO, cache);
        try (Replica replica = engine.open(model, SEQUENCES, LENGTH, true);
                Arena arena = Arena.ofShared()) {
            Initialization.gpt2(model, replica.parameters(), 1, replica.device(), replica.weights());
            AdamWOptimizer optimizer = new AdamWOptimizer(replica, rule);
            MemorySegment tokens = arena.allocate(4L * SEQUENCES * LENGTH, 64);
            for (int step = 1; step <= STEPS && !enough.getAsBoolean(); step++) {
                replica.zeroGradients();
                double _ = replica.forwardBackward(tokens, tokens, 1f / (SEQUENCES * LENGTH), DropoutPlan.NONE);
                replica.reduceGradients();
                double _ = replica.gradientNorm();
                double _ = replica.loss(tokens, tokens);
                optimizer.update(1e-3, 1, step);
            }
        }
    }
}
