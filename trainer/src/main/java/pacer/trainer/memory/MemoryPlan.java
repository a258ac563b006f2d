package pacer.trainer.memory;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import pacer.trainer.dist.SocketCollectives;
import pacer.trainer.eval.HellaSwag;
import pacer.trainer.model.Engine;
import pacer.trainer.model.MemoryPolicy;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.PlanningDevice;
import pacer.trainer.ops.PlanningDevice.Planned;
import pacer.trainer.ops.cpu.CpuDevice;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.optim.Sharding;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.TrainSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/**
 * What rank 0 of a training holds in memory, tensor family by tensor family. Other ranks hold the same but the decoder; where the optimizer's state is
 * divided, each is counted with the part of the rank that has most. The model, its optimizer and its decoder are planned by the code that
 * allocates them, so on the CPU tensors are counted to the byte. Not counted are the process itself, and what product libraries and
 * short-lived rows of kernels take.
 *
 * @param hosts that the ranks are divided over equally
 * @param shared whether all ranks of a host share one memory
 * @param microBatch sequences that a rank takes at once: train.microBatch, or the next smaller number that divides its sequences
 */
public record MemoryPlan(int ranks, int hosts, boolean shared, int microBatch, List<Item> items) {

    /**
     * Tensors of one name.
     *
     * @param name without the number of a layer
     * @param count how many
     */
    public record Item(MemoryClass kind, String name, int count, long bytes) {}

    /**
     * The plan of a run.
     *
     * @param spec of which all is resolved that the machine resolves; where its vocabulary is 0, the plan is less than the need
     * @param ranks processes, or GPUs; must divide the batch's sequences
     */
    public static MemoryPlan of(RunSpec spec, int ranks, Hardware hardware) {
        return of(Shape.of(spec, ranks, hardware));
    }

    /** The plan of a run on the CPU as its spec, resolved for the machine, has it. */
    public static MemoryPlan of(RunSpec spec) {
        return of(spec, spec.train().ranks(), cpu(spec));
    }

    /** The CPU as a spec, resolved for the machine, uses it. */
    public static Hardware.Cpu cpu(RunSpec spec) {
        TrainSpec train = spec.train();
        return new Hardware.Cpu(train.threads(), train.precision(), train.zeroStage(), train.hosts());
    }

    static MemoryPlan of(Shape shape) {
        ModelSpec model =
                shape.model().vocabulary() > 0 ? shape.model() : shape.model().withVocabulary(1);
        int length = model.sequenceLength();
        MemoryPolicy policy = MemoryPolicy.recomputing(shape.recompute());
        return switch (shape.hardware()) {
            case Hardware.Cpu cpu -> {
                Engine engine =
                        new Engine(Engine.Kind.CPU, cpu.threads(), cpu.precision(), Gemms.Kind.AUTO, null, policy);
                try (Replica plan = engine.plan(model, shape.microBatch(), length)) {
                    Ledger ledger = new Ledger(plan);
                    ledger.addModel(shape);
                    ledger.add(
                            MemoryClass.ATTENTION_WORK,
                            "scores and panels",
                            plan.lanes(),
                            attentionWorkspace(plan, model, cpu.threads() / plan.lanes()));
                    ledger.add(
                            MemoryClass.COMMUNICATION,
                            "received",
                            shape.ranks(),
                            SocketCollectives.bufferBytes(shape.ranks()));
                    yield new MemoryPlan(shape.ranks(), cpu.hosts(), true, shape.microBatch(), ledger.items());
                }
            }
            case Hardware.Gpus gpus -> {
                DType products = gpus.precision() == Precision.BF16 ? DType.BF16 : DType.F32;
                try (Replica plan = Engine.planWhole(model, policy, products, shape.microBatch(), length)) {
                    Ledger ledger = new Ledger(plan);
                    ledger.addModel(shape);
                    yield new MemoryPlan(shape.ranks(), 1, false, shape.microBatch(), ledger.items());
                }
            }
        };
    }

    private static long attentionWorkspace(Replica plan, ModelSpec model, int threads) {
        if (model.attentionLayers() == 0) {
            return 0;
        }
        return plan.lanes()
                * CpuDevice.attentionWorkspace(
                        threads,
                        plan.sequencesAPass() * model.heads(),
                        model.sequenceLength(),
                        model.headWidth(),
                        plan.factors(),
                        plan.gradientsOfAttention());
    }

    /** Rank 0's. */
    public long bytes() {
        return items.stream().mapToLong(Item::bytes).sum();
    }

    /** Rank 0's of one class. */
    public long bytes(MemoryClass kind) {
        return items.stream()
                .filter(item -> item.kind == kind)
                .mapToLong(Item::bytes)
                .sum();
    }

    /** What the machine, or a GPU, must have for it; of several machines the one with rank 0. */
    public long need() {
        long others = bytes() - bytes(MemoryClass.DECODER) - bytes(MemoryClass.CACHES);
        return bytes() + (ranksTogether() - 1) * others;
    }

    /** Ranks that share a memory. */
    public int ranksTogether() {
        return shared ? ranks / hosts : 1;
    }

    /** Rank 0's for parameters, gradients and optimizer, which no smaller batch spares. */
    public long ofParameters() {
        return bytes(MemoryClass.PARAMETERS)
                + bytes(MemoryClass.MASTERS)
                + bytes(MemoryClass.GRADIENTS)
                + bytes(MemoryClass.OPTIMIZER)
                + bytes(MemoryClass.OPTIMIZER_WORK);
    }

    /** Adds up what is planned on the devices of a replica, in the order in which it is. */
    private static final class Ledger {
        private final Replica plan;
        private final Map<String, Item> byName = new LinkedHashMap<>();

        Ledger(Replica plan) {
            this.plan = plan;
        }

        void addModel(Shape shape) {
            boolean copied = plan.factors() != DType.F32;
            take(new int[plan.lanes()], end(), 1, name -> MemoryClass.ofModel(name, copied));
            switch (shape.hardware()) {
                case Hardware.Cpu cpu -> addOptimizer(shape, cpu.zero() > 0 ? shape.ranks() : 1);
                case Hardware.Gpus gpus -> {
                    int[] from = end();
                    Optimizer _ = Optimizer.of(plan, shape.optimizer());
                    take(from, end(), gpus.zero() > 0 ? shape.ranks() : 1, MemoryClass::ofOptimizer);
                }
            }
            if (shape.room() > 0) {
                int[] from = end();
                plan.decoder(shape.room());
                take(from, end(), 1, MemoryClass::ofDecoder);
            }
            if (shape.asks()) {
                int[] from = end();
                HellaSwag.Room room = HellaSwag.Room.most(shape.model().sequenceLength());
                plan.continuations(room.sequences(), room.tokens());
                take(from, end(), 1, _ -> MemoryClass.HELLASWAG);
            }
            long tokens = (long) shape.microBatch() * shape.model().sequenceLength();
            add(MemoryClass.LOADER, "batches of training and validation", 4, 4 * 4 * tokens);
        }

        /** What the rank that has most keeps, of those that share the state. */
        private void addOptimizer(Shape shape, int sharing) {
            long most = -1;
            int[] from = end();
            int[] to = from;
            for (int rank = 0; rank < sharing; rank++) {
                int[] begin = end();
                long before = plan.plannedBytes();
                Optimizer _ = Optimizer.of(plan, shape.optimizer(), new Sharding(rank, sharing));
                long share = plan.plannedBytes() - before;
                if (share > most) {
                    most = share;
                    from = begin;
                    to = end();
                }
            }
            take(from, to, 1, MemoryClass::ofOptimizer);
        }

        /** By lane, how many tensors are planned. */
        private int[] end() {
            return IntStream.range(0, plan.lanes())
                    .map(lane -> planned(lane).size())
                    .toArray();
        }

        private List<Planned> planned(int lane) {
            return ((PlanningDevice) plan.device(lane)).planned();
        }

        /** @param zero ranks over which the optimizer's state is divided */
        private void take(int[] from, int[] to, int zero, Function<String, MemoryClass> kind) {
            for (int lane = 0; lane < from.length; lane++) {
                for (Planned each : planned(lane).subList(from[lane], to[lane])) {
                    MemoryClass of = kind.apply(each.name());
                    boolean divided = of == MemoryClass.OPTIMIZER;
                    add(
                            of,
                            MemoryClass.family(each.name()),
                            1,
                            divided ? Math.ceilDiv(each.bytes(), zero) : each.bytes());
                }
            }
        }

        void add(MemoryClass kind, String name, int count, long bytes) {
            if (bytes > 0) {
                byName.merge(
                        kind + name,
                        new Item(kind, name, count, bytes),
                        (a, b) -> new Item(kind, name, a.count + b.count, a.bytes + b.bytes));
            }
        }

        List<Item> items() {
            List<Item> items = new ArrayList<>(byName.values());
            items.sort(Comparator.comparing(Item::kind));
            return List.copyOf(items);
        }
    }
}
