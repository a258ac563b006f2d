package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.ByteSize;
import pacer.trainer.memory.Change;
import pacer.trainer.memory.Changes;
import pacer.trainer.memory.Hardware;
import pacer.trainer.memory.MemoryClass;
import pacer.trainer.memory.MemoryNeed;
import pacer.trainer.memory.MemoryPlan;
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
            defaultValue = "1",
            description = "1: GPUs divide the optimizer's state; 0: each has all (default: 1).")
    private int zero;

    @Mixin
    private OutputOption output;

    private final Console console;

    PlanCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (zero != 0 && zero != 1) {
            throw new Mistake("--zero " + zero + " must be 0 or 1");
        }
        RunSpec loaded = spec.load();
        // for GPUs auto is bf16; the CPU's is as the processor has it
        Processor here = Processor.here();
        Processor processor = gpus == null ? here : new Processor(here.cores(), true);
        RunSpec known = withVocabulary(SpecResolver.forTokenizer(SpecResolver.forMachine(loaded, processor)));
        int ranks = gpus == null ? known.train().ranks() : requireDivisor(known);
        Hardware hardware = gpus == null
                ? new Hardware.Cpu(known.train().threads(), known.train().precision())
                : new Hardware.Gpus(known.train().precision(), zero);
        long there = memory(gpus != null);
        MemoryPlan plan = MemoryPlan.of(known, ranks, hardware);
        boolean fits = plan.need() <= there;
        Changes changes = Changes.of(known, ranks, hardware, there);
        Optional<Change> cheapest = fits ? Optional.empty() : changes.cheapest();
        List<Change> alone = fits ? List.of() : changes.alone();
        if (output.json()) {
            console.json(json(known, plan, there, cheapest, alone));
        } else {
            show(known, plan, there);
            if (!fits) {
                show(cheapest, alone);
            }
            assumptions(known).forEach(line -> console.out().flow(line, 2));
        }
        return fits ? Exit.OK : Exit.FAILED;
    }

    /** Of a preset's own text how many characters it has is known. */
    private RunSpec withVocabulary(RunSpec known) {
        if (known.model().vocabulary() > 0 || !Presets.NAMES.contains(spec.preset())) {
            return known;
        }
        var preset = Presets.named(spec.preset());
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

    private String place(MemoryPlan plan) {
        return plan.shared() ? "of this machine" : "of each GPU";
    }

    private void show(RunSpec known, MemoryPlan plan, long there) {
        Terminal out = console.out();
        String ranks = plan.ranks() == 1 ? "one rank" : plan.ranks() + " ranks";
        out.flow(
                "%s  %s, %s sequences of %,d tokens at once%s"
                        .formatted(
                                out.paint(Tone.STRONG, known.name()),
                                plan.shared()
                                        ? "CPU, " + ranks
                                        : plan.ranks() == 1 ? "one GPU" : plan.ranks() + " GPUs",
                                Math.min(
                                        known.train().microBatch(),
                                        known.train().batchTokens()
                                                / known.model().sequenceLength()
                                                / plan.ranks()),
                                known.model().sequenceLength(),
                                known.model().vocabulary() == 0
                                        ? "; its vocabulary is not known yet: it needs more"
                                        : ""),
                2);
        out.println("");
        Table table = new Table(out, "CLASS", ">BYTES", "TENSORS");
        for (MemoryClass kind : MemoryClass.values()) {
            if (plan.bytes(kind) > 0) {
                table.row(kind.text(), Quantities.bytes(plan.bytes(kind)), tensors(plan, kind));
            }
        }
        table.row(
                out.paint(Tone.STRONG, plan.ranks() > 1 ? "rank 0" : "all"),
                Quantities.bytes(plan.bytes()),
                plan.ranks() > 1 && plan.shared() ? "all ranks: " + Quantities.bytes(plan.need()) : "");
        table.print();
        out.println("");
        out.flow(
                "%s: it needs %s of the %s %s."
                        .formatted(
                                plan.need() <= there
                                        ? out.paint(Tone.STRONG, "It fits")
                                        : out.paint(Tone.STRONG, "It does not fit"),
                                Quantities.bytes(plan.need()),
                                Quantities.bytes(there),
                                place(plan)),
                2);
    }

    /** The largest first. */
    private static String tensors(MemoryPlan plan, MemoryClass kind) {
        return plan.items().stream()
                .filter(item -> item.kind() == kind)
                .sorted((a, b) -> Long.compare(b.bytes(), a.bytes()))
                .map(item -> item.count() == 1 ? item.name() : item.count() + " " + item.name())
                .collect(Collectors.joining(", "));
    }

    private void show(Optional<Change> cheapest, List<Change> alone) {
        Terminal out = console.out();
        cheapest.ifPresentOrElse(
                change -> out.flow(
                        "The cheapest change that fits: %s; %s. Price: %s."
                                .formatted(options(change), Quantities.bytes(change.need()), change.price()),
                        2),
                () -> out.flow(
                        "No micro-batch, recompute, optimizer or sequence makes it fit: lower model.layers or model.width.",
                        2));
        if (!alone.isEmpty()) {
            out.println("");
            Table table = new Table(out, "CHANGE", ">NEEDS", "FITS", "PRICE");
            alone.forEach(change -> table.row(
                    options(change), Quantities.bytes(change.need()), change.fits() ? "yes" : "no", change.price()));
            table.print();
        }
        out.println("");
    }

    private static String options(Change change) {
        return change.settings().stream()
                .map(setting -> setting.startsWith("--") ? setting : "--set " + setting)
                .collect(Collectors.joining(" "));
    }

    private List<String> assumptions(RunSpec known) {
        List<String> all = new ArrayList<>();
        if (gpus == null) {
            all.add(
                    "Tensors and attention's workspace are counted to the byte; the process itself (Java, shards that are read) and product"
                            + " libraries are not.");
        } else {
            all.add(
                    "By the rules of the spec: the CPU engine's tensors, a micro-batch in one pass, attention without scores, %s."
                            .formatted(
                                    gpus == 1
                                            ? "one rank"
                                            : zero == 1
                                                    ? "the optimizer's state divided over the GPUs (ZeRO-1)"
                                                    : "all of the optimizer's state on each"));
            all.add("Not counted: CUDA's context, workspaces of its libraries, buffers of NCCL, fragmentation.");
        }
        if (known.model().vocabulary() == 0) {
            all.add("The vocabulary is the text's, which is known when the dataset is there: one token is counted.");
        }
        return all;
    }

    private SequencedMap<String, Object> json(
            RunSpec known, MemoryPlan plan, long there, Optional<Change> cheapest, List<Change> alone) {
        SequencedMap<String, Object> told = new LinkedHashMap<>();
        told.put("preset", known.name());
        told.put("device", plan.shared() ? "cpu" : "gpu");
        told.put("ranks", plan.ranks());
        told.put("memory", there);
        told.put("need", plan.need());
        told.put("fits", plan.need() <= there);
        told.put("lowerBound", known.model().vocabulary() == 0);
        told.put("rank0", plan.bytes());
        told.put(
                "classes",
                Arrays.stream(MemoryClass.values())
                        .filter(kind -> plan.bytes(kind) > 0)
                        .map(kind -> ofClass(plan, kind))
                        .toList());
        told.put("cheapest", cheapest.orElse(null));
        told.put("changes", alone);
        told.put("assumptions", assumptions(known));
        return told;
    }

    private static SequencedMap<String, Object> ofClass(MemoryPlan plan, MemoryClass kind) {
        SequencedMap<String, Object> told = new LinkedHashMap<>();
        told.put("class", kind.text());
        told.put("bytes", plan.bytes(kind));
        told.put(
                "tensors",
                plan.items().stream().filter(item -> item.kind() == kind).toList());
        return told;
    }
}
