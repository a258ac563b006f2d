package pacer.workflows.cli;

import java.nio.file.Path;
import pacer.trainer.model.Engine;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.TrainSpec.Precision;
import picocli.CommandLine.Option;

/** What a command computes with. */
final class EngineOptions {
    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = "cpu",
            description = "cpu, or reference: the scalar specification, slow (default: cpu).")
    private Engine.Kind device;

    @Option(names = "--threads", paramLabel = "N", description = "CPU threads (default: all cores).")
    private Integer threads;

    @Option(
            names = "--precision",
            paramLabel = "P",
            defaultValue = "fp32",
            description =
                    "fp32 or bf16 products, or auto: bf16 where this processor multiplies it itself (default: fp32).")
    private Precision precision;

    @Option(
            names = "--products",
            paramLabel = "LIBRARY",
            defaultValue = "auto",
            description = "auto, onednn, openblas or vector: what forms matrix products (default: auto).")
    private Gemms.Kind products;

    Engine engine(Path cache) {
        if (threads != null && (threads < 1 || threads > 1024)) {
            throw new Mistake("--threads " + threads + " must be from 1 to 1024; leave it out for all cores");
        }
        Processor processor = Processor.here();
        int count = threads != null ? threads : processor.cores();
        return new Engine(device, count, precision.on(processor), products, cache);
    }
}
