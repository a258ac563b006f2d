package pacer.trainer.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.Flops;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.RunSpec;

/**
 * What would make a training take less memory, the cheapest first: what changes no number (ZeRO-1, smaller micro-batches), what computes the same
 * numbers twice (recompute), and only then another training: another rule, shorter sequences.
 */
public final class Changes {
    /** Operations that a GELU is counted as, an element; ReLU² takes two, a norm eight. */
    private static final int GELU_FLOPS = 10;

    private static final int RELU_SQUARED_FLOPS = 2;
    private static final int NORM_FLOPS = 8;
    private static final int SHORTEST = 64;

    private final Shape now;
    private final long memory;
    private final double flopsNow;

    private Changes(Shape now, long memory) {
        this.now = now;
        this.memory = memory;
        this.flopsNow = flops(now);
    }

    /**
     * Of a run planned as {@link MemoryPlan#of(RunSpec, int, Hardware)} does.
     *
     * @param memory bytes of the machine, or of a GPU
     */
    public static Changes of(RunSpec spec, int ranks, Hardware hardware, long memory) {
        return new Changes(Shape.of(spec, ranks, hardware), memory);
    }

    /** Of a tokenized batch: products, attention, and what is computed twice. */
    private static double flops(Shape shape) {
        ModelSpec model = shape.model();
        return Flops.perToken(model, model.parameters()) + recomputed(model, shape.recompute());
    }

    private static double recomputed(ModelSpec model, int level) {
        long c = model.width();
        int activation = model.activation() == Activation.RELU_SQUARED ? RELU_SQUARED_FLOPS : GELU_FLOPS;
        double activations = level < 1 ? 0 : 4.0 * c * model.layers() * activation;
        double norms = level < 2 ? 0 : (double) c * (model.layers() + model.attentionLayers()) * NORM_FLOPS;
        return activations + norms;
    }

    /** The one that costs least of those that fit; of one setting or several. Empty where none does. */
    public Optional<Change> cheapest() {
        return shapes(sequences(), optimizers())
                .map(this::change)
                .filter(Change::fits)
                .findFirst();
    }

    /** Each setting alone: the first of its values that fits, else the one with the least need. */
    public List<Change> alone() {
        List<Change> all = new ArrayList<>();
        best(zeros().stream().skip(1).map(now::withHardware)).ifPresent(all::add);
        best(microBatches().stream().skip(1).map(now::withMicroBatch)).ifPresent(all::add);
        IntStream.rangeClosed(now.recompute() + 1, 2)
                .mapToObj(now::withRecompute)
                .map(this::change)
                .forEach(all::add);
        optimizers().stream().skip(1).map(now::withOptimizer).map(this::change).forEach(all::add);
        best(sequences().stream().skip(1).map(now::withShorterSequences)).ifPresent(all::add);
        return all;
    }

    private Optional<Change> best(Stream<Shape> shapes) {
        Change least = null;
        for (Shape shape : (Iterable<Shape>) shapes::iterator) {
            Change change = change(shape);
            if (change.fits()) {
                return Optional.of(change);
            }
            least = least == null || change.need() < least.need() ? change : least;
        }
        return Optional.ofNullable(least);
    }

    /** In the order of their price: the same training first, then other rules, then shorter sequences. */
    private Stream<Shape> shapes(List<Integer> times, List<OptimizerSpec.Type> rules) {
        return times.stream()
                .map(now::withShorterSequences)
                .flatMap(shape -> rules.stream().map(shape::withOptimizer))
                .flatMap(shape -> IntStream.rangeClosed(now.recompute(), 2).mapToObj(shape::withRecompute))
                .flatMap(shape -> microBatches().stream().map(shape::withMicroBatch))
                .flatMap(shape -> zeros().stream().map(shape::withHardware))
                .skip(1); // what there is now
    }

    private List<Hardware> zeros() {
        return switch (now.hardware()) {
            case Hardware.Cpu cpu
            when cpu.zero() == 0 && now.ranks() > 1 ->
                List.of(cpu, new Hardware.Cpu(cpu.threads(), cpu.precision(), 1, cpu.hosts()));
            case Hardware.Gpus gpus
            when gpus.zero() == 0 && now.ranks() > 1 -> List.of(gpus, new Hardware.Gpus(gpus.precision(), 1));
            default -> List.of(now.hardware());
        };
    }

    private List<Integer> microBatches() {
        return IntStream.rangeClosed(0, now.microBatch() - 1)
                .map(less -> now.microBatch() - less)
                .filter(size -> now.sequences() % size == 0)
                .boxed()
                .toList();
    }

    private List<OptimizerSpec.Type> optimizers() {
        List<OptimizerSpec.Type> types = new ArrayList<>(List.of(now.optimizer().type()));
        long least = state(now);
        for (OptimizerSpec.Type type :
                List.of(OptimizerSpec.Type.STRIPED_ADAMW, OptimizerSpec.Type.MUON, OptimizerSpec.Type.ADAFACTOR)) {
            long state = state(now.withOptimizer(type));
            if (state < least) {
                types.add(type);
                least = state;
            }
        }
        return types;
    }

    private static long state(Shape shape) {
        MemoryPlan plan = MemoryPlan.of(shape);
        return plan.bytes(MemoryClass.OPTIMIZER) + plan.bytes(MemoryClass.OPTIMIZER_WORK);
    }

    private List<Integer> sequences() {
        List<Integer> times = new ArrayList<>(List.of(1));
        int length = now.model().sequenceLength();
        for (int by = 2; length % by == 0 && length / by >= SHORTEST; by *= 2) {
            times.add(by);
        }
        return times;
    }

    private Change change(Shape shape) {
        List<String> settings = new ArrayList<>();
        List<String> price = new ArrayList<>();
        if (!shape.hardware().equals(now.hardware())) {
            boolean gpus = shape.hardware() instanceof Hardware.Gpus;
            settings.add(gpus ? "--zero 1" : "train.zeroStage=1");
            price.add("no more bytes between %s: scattering gradients and gathering weights move what their sum moves"
                    .formatted(gpus ? "GPUs" : "ranks"));
        }
        if (shape.microBatch() != now.microBatch()) {
            settings.add("train.microBatch=" + shape.microBatch());
        }
        int steps = shape.microSteps();
        if (steps != now.microSteps() && shape.model().equals(now.model())) {
            price.add("%d micro-steps a step for %d, of the same FLOPs".formatted(steps, now.microSteps()));
        }
        if (shape.recompute() != now.recompute()) {
            settings.add("train.recompute=" + shape.recompute());
            price.add(String.format(
                    Locale.ROOT,
                    "%.2f%% more FLOPs, of memory's speed rather than of products'; the same bits",
                    100
                            * (recomputed(shape.model(), shape.recompute())
                                    - recomputed(shape.model(), now.recompute()))
                            / flops(shape.withRecompute(now.recompute()))));
        }
        if (shape.optimizer().type() != now.optimizer().type()) {
            settings.add("optimizer.type=" + shape.optimizer().type().name().toLowerCase(Locale.ROOT));
            price.add("another training: its rates are to be found anew");
        }
        double flops = flops(shape) / flopsNow;
        if (!shape.model().equals(now.model())) {
            settings.add("model.sequenceLength=" + shape.model().sequenceLength());
            price.add(String.format(
                    Locale.ROOT,
                    "another model, of shorter contexts; %d micro-steps a step for %d, %.2f times the FLOPs",
                    steps,
                    now.microSteps(),
                    flops));
        }
        long need = MemoryPlan.of(shape).need();
        return new Change(settings, need, need <= memory, flops, steps, String.join("; ", price));
    }
}
