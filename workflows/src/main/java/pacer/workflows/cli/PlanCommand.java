package pacer.workflows.cli;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import pacer.activities.run.ByteSize;
import pacer.trainer.memory.Changes;
import pacer.trainer.memory.Hardware;
import pacer.trainer.memory.MemoryNeed;
import pacer.trainer.memory.MemoryPlan;
import pacer.trainer.spec.Preset;
import pacer.trainer.spec.Presets;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecResolver;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "plan",
        description = {
            "What a training would hold in memory, by classes of tensors, and what",
            "would make it fit. Exit code 1 where it does not.%n"
        })
final class PlanCommand implements Callable<Integer> {
    private static final String GPU_MEMORY = "80GB";

    @Mixin
    private SpecOptions spec;

    @Option(
            names = "--gpus",
            paramLabel = "N",
            description = "Plan for N GPUs, a rank each (default: for this machine's CPU).")
    private Integer gpus;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description = "What a GPU has (default: " + GPU_MEMORY + "), or this machine (default: what it has).")
    private String memory;

    @Option(
            names = "--zero",
            paramLabel = "STAGE",
            description = "1: GPUs divide the optimizer's state; 0: each has all (default: train.zeroStage).")
    private Integer zero;

    @Mixin
    private OutputOption output;

    private final Console console;

    PlanCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (zero != null && zero != 0 && zero != 1) {
            throw new Mistake("--zero " + zero + " must be 0 or 1");
        }
        if (zero != null && gpus == null) {
            throw new Mistake("--zero is for GPUs (--gpus); of this machine's CPU give --set train.zeroStage=" + zero);
        }
        RunSpec loaded = spec.load();
        // for GPUs auto is bf16; the CPU's is as the processor has it
        Processor here = Processor.here();
        Processor processor = gpus == null ? here : new Processor(here.cores(), true);
        RunSpec known = withVocabulary(SpecResolver.forTokenizer(SpecResolver.forMachine(loaded, processor)));
        int ranks = gpus == null ? known.train().ranks() : requireDivisor(known);
        Hardware hardware = gpus == null
                ? MemoryPlan.cpu(known)
                : new Hardware.Gpus(
                        known.train().precision(), zero == null ? known.train().zeroStage() : zero);
        long there = memory(gpus != null);
        MemoryPlan plan = MemoryPlan.of(known, ranks, hardware);
        boolean fits = plan.need() <= there;
        Changes changes = Changes.of(known, ranks, hardware, there);
        PlanView view = new PlanView(
                known,
                hardware,
                plan,
                there,
                fits ? Optional.empty() : changes.cheapest(),
                fits ? List.of() : changes.alone());
        if (output.json()) {
            console.json(view.json());
        } else {
            view.print(console.out());
        }
        return fits ? Exit.OK : Exit.FAILED;
    }

    /** Of a preset's own text how many characters it has is known. */
    private RunSpec withVocabulary(RunSpec known) {
        if (known.model().vocabulary() > 0 || !Presets.NAMES.contains(spec.preset())) {
            return known;
        }
        Preset preset = Presets.named(spec.preset());
        return preset.spec().dataset().equals(known.dataset())
                ? SpecResolver.forDataset(known, preset.vocabulary())
                : known;
    }

    private int requireDivisor(RunSpec known) {
        int sequences = known.train().batchTokens() / known.model().sequenceLength();
        if (gpus < 1 || sequences % gpus != 0) {
            String right = IntStream.rangeClosed(1, Math.min(sequences, 64))
                    .filter(n -> sequences % n == 0)
                    .mapToObj(Integer::toString)
                    .collect(Collectors.joining(", "));
            throw new Mistake(
                    "--gpus %d must divide the %d sequences of a step (train.batchTokens / model.sequenceLength); give one of %s"
                            .formatted(gpus, sequences, right));
        }
        return gpus;
    }

    private long memory(boolean ofGpu) {
        if (memory == null && !ofGpu) {
            return MemoryNeed.here();
        }
        String text = memory == null ? GPU_MEMORY : memory;
        return ByteSize.of(text)
                .orElseThrow(() -> new Mistake("--memory '" + text + "' is no size; write 80GB or 500MB"));
    }
}
