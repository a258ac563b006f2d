package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import pacer.activities.publishing.report.Quantities;
import pacer.trainer.memory.Change;
import pacer.trainer.memory.Hardware;
import pacer.trainer.memory.MemoryClass;
import pacer.trainer.memory.MemoryPlan;
import pacer.trainer.spec.RunSpec;

/**
 * A memory plan as people and scripts read it.
 *
 * @param there bytes of the machine, or of a GPU
 * @param cheapest of the changes that fit; empty where none does, or none is needed
 * @param alone what each change would do; empty where none is needed
 */
record PlanView(
        RunSpec spec, Hardware hardware, MemoryPlan plan, long there, Optional<Change> cheapest, List<Change> alone) {

    private boolean fits() {
        return plan.need() <= there;
    }

    private boolean lowerBound() {
        return spec.model().vocabulary() == 0;
    }

    void print(Terminal out) {
        String hosts = plan.hosts() > 1 ? " on " + plan.hosts() + " hosts" : "";
        String ranks = plan.ranks() == 1 ? "one rank" : plan.ranks() + " ranks" + hosts;
        String gpus = plan.ranks() == 1 ? "one GPU" : plan.ranks() + " GPUs";
        out.println("%s  %s, %d x %,d tokens at once"
                .formatted(
                        out.paint(Tone.STRONG, spec.name()),
                        plan.shared() ? "CPU, " + ranks : gpus,
                        plan.microBatch(),
                        spec.model().sequenceLength()));
        out.println("");
        classes(out).print();
        out.println("");
        out.flow(
                "%s: it needs %s%s of the %s %s."
                        .formatted(
                                out.paint(Tone.STRONG, fits() ? "It fits" : "It does not fit"),
                                lowerBound() ? "at least " : "",
                                Quantities.bytes(plan.need()),
                                Quantities.bytes(there),
                                plan.shared() ? "of this machine" : "of each GPU"),
                2);
        if (!fits()) {
            printChanges(out);
        }
        out.println("");
        assumptions().forEach(line -> out.flow(line, 2));
    }

    private Table classes(Terminal out) {
        Table table = new Table(out, "CLASS", ">BYTES", "TENSORS");
        for (MemoryClass kind : MemoryClass.values()) {
            if (plan.bytes(kind) > 0) {
                table.row(kind.text(), Quantities.bytes(plan.bytes(kind)), tensors(kind));
            }
        }
        return table.row(
                out.paint(Tone.STRONG, plan.ranks() > 1 ? "rank 0" : "all"),
                Quantities.bytes(plan.bytes()),
                plan.ranksTogether() > 1
                        ? (plan.hosts() > 1 ? "all ranks of a host: " : "all ranks: ") + Quantities.bytes(plan.need())
                        : "");
    }

    /** The largest first. */
    private String tensors(MemoryClass kind) {
        return plan.items().stream()
                .filter(item -> item.kind() == kind)
                .sorted((a, b) -> Long.compare(b.bytes(), a.bytes()))
                .map(item -> item.count() == 1 ? item.name() : item.count() + " " + item.name())
                .collect(Collectors.joining(", "));
    }

    private void printChanges(Terminal out) {
        out.flow(
                cheapest.map(change -> "The cheapest change that fits: %s; %s. Price: %s."
                                .formatted(options(change), Quantities.bytes(change.need()), change.price()))
                        .orElse(
                                "No micro-batch, recompute, optimizer or sequence makes it fit: lower model.layers or model.width."),
                2);
        if (!alone.isEmpty()) {
            out.println("");
            Table table = new Table(out, "CHANGE", ">NEEDS", "FITS", "PRICE");
            alone.forEach(change -> table.row(
                    options(change), Quantities.bytes(change.need()), change.fits() ? "yes" : "no", change.price()));
            table.print();
        }
    }

    private static String options(Change change) {
        return change.settings().stream()
                .map(setting -> setting.startsWith("--") ? setting : "--set " + setting)
                .collect(Collectors.joining(" "));
    }

    private List<String> assumptions() {
        List<String> all = new ArrayList<>();
        switch (hardware) {
            case Hardware.Cpu cpu -> {
                if (plan.ranks() > 1 && cpu.zero() > 0) {
                    all.add(
                            "The optimizer's state is divided over the ranks (ZeRO-1): each is counted as the one that has most.");
                }
                all.add(
                        "Tensors and attention's workspace are counted to the byte. Not counted: the process itself (Java, shards that are"
                                + " read), product libraries.");
            }
            case Hardware.Gpus gpus -> {
                String state = gpus.zero() == 1
                        ? "the optimizer's state divided over the GPUs (ZeRO-1)"
                        : "all of the optimizer's state on each";
                all.add(
                        "By the rules of the spec: the CPU engine's tensors, a micro-batch in one pass, attention without scores, %s."
                                .formatted(plan.ranks() == 1 ? "one rank" : state));
                all.add("Not counted: CUDA's context, workspaces of its libraries, buffers of NCCL, fragmentation.");
            }
        }
        if (lowerBound()) {
            all.add("The vocabulary is the text's, which is known when the dataset is there: one token is counted.");
        }
        return all;
    }

    SequencedMap<String, Object> json() {
        SequencedMap<String, Object> told = new LinkedHashMap<>();
        told.put("preset", spec.name());
        told.put("device", plan.shared() ? "cpu" : "gpu");
        told.put("ranks", plan.ranks());
        told.put("hosts", plan.hosts());
        told.put("microBatch", plan.microBatch());
        told.put("sequenceLength", spec.model().sequenceLength());
        told.put("memory", there);
        told.put("need", plan.need());
        told.put("lowerBound", lowerBound());
        told.put("fits", fits());
        told.put("rank0", plan.bytes());
        told.put(
                "classes",
                Arrays.stream(MemoryClass.values())
                        .filter(kind -> plan.bytes(kind) > 0)
                        .map(this::json)
                        .toList());
        told.put("cheapest", cheapest.orElse(null));
        told.put("changes", alone);
        told.put("assumptions", assumptions());
        return told;
    }

    private SequencedMap<String, Object> json(MemoryClass kind) {
        SequencedMap<String, Object> told = new LinkedHashMap<>();
        told.put("class", kind.text());
        told.put("bytes", plan.bytes(kind));
        told.put(
                "tensors",
                plan.items().stream().filter(item -> item.kind() == kind).toList());
        return told;
    }
}
