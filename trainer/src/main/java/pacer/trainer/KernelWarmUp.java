package pacer.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import pacer.trainer.model.DropoutPlan;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Initialization;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.TrainSpec.Precision;

/** Loads the product library and has the kernels compiled, by training a small model on nothing. */
final class KernelWarmUp {
    private static final int STEPS = 40;
    private static final int SEQUENCES = 2;
    private static final int LENGTH = 32;

    private final AtomicBoolean enough = new AtomicBoolean();
    private final CompletableFuture<Void> steps;

    private KernelWarmUp(Path cache) {
        steps = CompletableFuture.runAsync(
                () -> run(cache),
                work -> Thread.ofPlatform().daemon().name("warm-up").start(work));
    }

    /** Takes steps, on a thread of its own, until all kernels are surely compiled; one lane, as the parent is busy starting. */
    static KernelWarmUp begin(Path cache) {
        return new KernelWarmUp(cache);
    }

    /** Waits for the end of the step under way. */
    void end() {
        enough.set(true);
        try {
            steps.join();
        } catch (CompletionException e) {
            // training will find the same, and say so
            System.err.println("warm-up: " + e.getCause());
        }
    }

    private void run(Path cache) {
        ModelSpec model = ModelSpec.gpt2(1, 2, 64, LENGTH, 80, false, Activation.GELU_ERF, 1e-5, 0, true);
        OptimizerSpec rule = OptimizerSpec.adamW(1e-3, 0.9, 0.95, 1e-8, 0.1);
        Precision precision =
                Precision.AUTO.on(Processor.here()); // which run comes is not known: as most presets have it
        Engine engine = new Engine(Engine.Kind.CPU, 1, precision, Gemms.Kind.AUTO, cache);
        try (Replica replica = engine.open(model, SEQUENCES, LENGTH, true);
                Arena arena = Arena.ofShared()) {
            Initialization.of(model, replica.parameters(), 1, replica.device(), replica.weights());
            Optimizer optimizer = Optimizer.of(replica, rule);
            MemorySegment tokens = arena.allocate(4L * SEQUENCES * LENGTH, 64);
            for (int step = 1; step <= STEPS && !enough.get(); step++) {
                replica.zeroGradients();
                double _ = replica.forwardBackward(tokens, tokens, 1f / (SEQUENCES * LENGTH), DropoutPlan.NONE);
                replica.reduceGradients();
                double _ = replica.gradientNorm();
                double _ = replica.loss(tokens, tokens);
                optimizer.update(1e-3, 1, step);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
