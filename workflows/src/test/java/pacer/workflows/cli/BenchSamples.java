package pacer.workflows.cli;

import java.util.List;
import pacer.trainer.bench.BenchCase;
import pacer.trainer.bench.Spread;
import pacer.trainer.bench.StepResult;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/** Results as a benchmark could have them. */
final class BenchSamples {
    static final BenchCase CASE = new BenchCase(
            "tiny",
            ModelSpec.gpt2(2, 2, 32, 32, 50, true, Activation.GELU_TANH, 1e-5, 0, true),
            4,
            32,
            1,
            1,
            OptimizerSpec.adamW(1e-3, 0.9, 0.99, 1e-8, 0.1),
            Precision.FP32,
            2,
            Gemms.Kind.AUTO,
            1337,
            20,
            60);

    static final BenchReport.BenchMachine MACHINE = new BenchReport.BenchMachine(
            "AMD EPYC 9R45 96-Core Processor",
            2,
            25_000_000_000L,
            "Linux 6.1 amd64",
            "OpenJDK 25",
            "0.1.0",
            "0123abc",
            0.1);

    private BenchSamples() {}

    static BenchSteps.Side side(String engine, double millis, double... losses) {
        StepResult step = new StepResult(
                engine,
                "some runtime",
                "CPU, 2 threads",
                List.of("one setting", "another"),
                2,
                28096,
                128,
                40,
                true,
                20,
                java.util.Arrays.stream(losses).boxed().toList(),
                new Spread(millis, 0.9 * millis, 1.5 * millis),
                2 * millis,
                128 / millis * 1e3,
                1e12,
                (long) (engine.equals("pacer") ? 100_000_000 : 400_000_000));
        return new BenchSteps.Side(step, millis / 10);
    }

    static BenchSteps.Pair pair(double ours, double theirs) {
        return new BenchSteps.Pair(side("pacer", ours, 3.9, 3.8), side("PyTorch 2.15.0", theirs, 3.90001, 3.8));
    }

    static BenchSteps steps(BenchSteps.Pair... pairs) {
        return new BenchSteps(CASE, new BenchSteps.Rival(false, "fused 0.20 ms, loop 0.70 ms"), List.of(pairs));
    }
}
