package pacer.trainer.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.data.BadDataException;
import pacer.trainer.eval.TextModel;
import pacer.trainer.model.Engine;
import pacer.trainer.model.MemoryPolicy;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.optim.Sharding;
import pacer.trainer.spec.Presets;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SampleSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;
import pacer.trainer.spec.TrainSpec.Precision;

class MemoryPlanTest {
    private static final Set<String> OF_THE_HOST =
            Set.of("batches of training and validation", "scores and panels", "received");
    private static final Hardware.Gpus GPUS = new Hardware.Gpus(Precision.BF16, 1);

    private static RunSpec spec(String preset, String... sets) {
        return SpecResolver.resolve(
                SpecLoader.load(preset, List.of(), List.of(sets)), new Processor(2, false), vocabulary(preset));
    }

    private static int vocabulary(String preset) {
        return preset.startsWith("speedrun") ? 50257 : 65;
    }

    private static final String[] SMALL = {
        "model.width=96",
        "model.layers=6",
        "model.sequenceLength=1024",
        "model.attention.leftOut=4",
        "model.attention.window=128",
        "train.batchTokens=4096",
        "evaluation.tokens=1024"
    };

    private static String[] and(String[] sets, String... more) {
        List<String> all = new ArrayList<>(List.of(sets));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    static Stream<RunSpec> trainings() {
        return Stream.of(
                spec("quickstart", "train.precision=fp32", "sample.everySteps=0"),
                spec("quickstart", "train.precision=bf16", "train.recompute=1"),
                spec("quickstart", "train.precision=bf16", "train.recompute=2", "model.dropout=0.1"),
                spec("quickstart", "train.precision=fp32", "optimizer.type=adafactor", "sample.prompt=abc"),
                spec("quickstart", "train.precision=fp32", "optimizer.type=striped_adamw", "sample.tokens=5"),
                spec("speedrun-18", and(SMALL, "sample.everySteps=10", "sample.prompt=A unicorn")),
                spec("speedrun-18", and(SMALL, "train.precision=fp32", "train.recompute=2", "train.microBatch=4")));
    }

    @ParameterizedTest
    @MethodSource("trainings")
    void aPlanIsWhatTrainingAllocates(RunSpec spec) throws Exception {
        Engine engine = new Engine(
                Engine.Kind.CPU,
                2,
                spec.train().precision(),
                Gemms.Kind.VECTOR,
                Path.of("target", "native-cache"),
                MemoryPolicy.recomputing(spec.train().recompute()));
        int length = spec.model().sequenceLength();
        try (Replica replica = engine.open(spec.model(), spec.sequencesAtOnce(), length, true)) {
            Optimizer _ = Optimizer.of(replica, spec.optimizer());
            SampleSpec sample = spec.sample();
            if (sample.everySteps() > 0) {
                replica.decoder(TextModel.room(sample.prompt(), sample.tokens(), length));
            }
            MemoryPlan plan = MemoryPlan.of(spec);
            long host = plan.items().stream()
                    .filter(item -> OF_THE_HOST.contains(item.name()))
                    .mapToLong(MemoryPlan.Item::bytes)
                    .sum();
            assertThat(plan.bytes() - host).isEqualTo(replica.plannedBytes());
            assertThat(plan.bytes(MemoryClass.DECODER) > 0).isEqualTo(sample.everySteps() > 0);
        }
    }

    @ParameterizedTest
    @MethodSource("presets")
    void everyTensorOfAPresetIsOfAClass(String name) {
        RunSpec spec = spec(name, "train.precision=bf16", "sample.everySteps=3", "sample.count=1");
        for (int ranks : new int[] {1, 8}) {
            MemoryPlan gpus = MemoryPlan.of(spec, ranks == 8 && spec.sequencesARank() % 8 > 0 ? 1 : ranks, GPUS);
            assertThat(gpus.items()).noneMatch(item -> item.kind() == MemoryClass.OTHER);
            assertThat(gpus.bytes()).isPositive();
        }
        assertThat(MemoryPlan.of(spec).items()).noneMatch(item -> item.kind() == MemoryClass.OTHER);
    }

    static Stream<String> presets() {
        return Presets.NAMES.stream();
    }

    @Test
    void logitsOfLongSequencesAreBounded() {
        MemoryPlan plan = MemoryPlan.of(spec("speedrun-18"));
        assertThat(plan.bytes(MemoryClass.LOGITS)).isLessThan(900_000_000);
    }

    @Test
    void aDecoderIsPlannedForPromptAndSampleNotForTheLongestSequence() {
        MemoryPlan plan = MemoryPlan.of(spec("speedrun-18", "sample.everySteps=100", "sample.tokens=256"));
        assertThat(plan.bytes(MemoryClass.DECODER)).isBetween(1L, 30_000_000L);
        assertThat(plan.bytes(MemoryClass.CACHES)).isZero(); // they lie in activations
    }

    @Test
    void zeroDividesTheOptimizersState() {
        RunSpec spec = spec("speedrun-07");
        MemoryPlan whole = MemoryPlan.of(spec, 8, new Hardware.Gpus(Precision.BF16, 0));
        MemoryPlan divided = MemoryPlan.of(spec, 8, GPUS);
        assertThat((double) whole.bytes(MemoryClass.OPTIMIZER) / divided.bytes(MemoryClass.OPTIMIZER))
                .isBetween(7.999, 8.001);
        assertThat(whole.bytes() - whole.bytes(MemoryClass.OPTIMIZER))
                .isEqualTo(divided.bytes() - divided.bytes(MemoryClass.OPTIMIZER));
    }

    @Test
    void ranksOfACpuShareItsMemoryAndOneOfThemSamples() {
        RunSpec spec = spec("quickstart", "train.ranks=2", "train.microBatch=6", "train.threads=1");
        MemoryPlan plan = MemoryPlan.of(spec);
        long decoder = plan.bytes(MemoryClass.DECODER);
        assertThat(decoder).isPositive();
        assertThat(plan.need()).isEqualTo(2 * plan.bytes() - decoder);
        assertThat(plan.bytes(MemoryClass.COMMUNICATION)).isEqualTo(2 << 18);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aHostIsCountedWithItsRanksAndEachWithTheLargestShareOfTheState(int hosts) {
        String[] sets = and(SMALL, "train.precision=fp32", "train.threads=1", "train.ranks=4", "train.hosts=" + hosts);
        RunSpec spec = spec("speedrun-18", sets);
        Engine engine = new Engine(Engine.Kind.CPU, 1, Precision.FP32, Gemms.Kind.AUTO, null);
        long largest = 0;
        for (int rank = 0; rank < 4; rank++) {
            try (Replica each = engine.plan(
                    spec.model(), spec.sequencesAtOnce(), spec.model().sequenceLength())) {
                long without = each.plannedBytes();
                Optimizer _ = Optimizer.of(each, spec.optimizer(), new Sharding(rank, 4));
                largest = Math.max(largest, each.plannedBytes() - without);
            }
        }
        MemoryPlan plan = MemoryPlan.of(spec);
        assertThat(plan.bytes(MemoryClass.OPTIMIZER) + plan.bytes(MemoryClass.OPTIMIZER_WORK))
                .isEqualTo(largest);
        assertThat(plan.need()).isEqualTo(4 / hosts * (plan.bytes() - decoder(plan)) + decoder(plan));

        RunSpec undivided = spec("speedrun-18", and(sets, "train.zeroStage=0"));
        MemoryPlan whole = MemoryPlan.of(undivided);
        assertThat(whole.bytes(MemoryClass.OPTIMIZER)).isGreaterThan(2 * plan.bytes(MemoryClass.OPTIMIZER));
        assertThatThrownBy(() -> MemoryNeed.requireIn(undivided, whole, plan.need()))
                .hasMessageContainingAll("each of its " + 4 / hosts + " ranks", "--set train.zeroStage=1 would fit");
    }

    private static long decoder(MemoryPlan plan) {
        return plan.bytes(MemoryClass.DECODER) + plan.bytes(MemoryClass.CACHES);
    }

    @Test
    void aTrainingThatTheMachineHasNoMemoryForIsRefusedWithWhatWouldFit() {
        RunSpec spec = spec("speedrun-18");
        MemoryPlan plan = MemoryPlan.of(spec);
        assertThatCode(() -> MemoryNeed.requireIn(spec, plan, plan.need())).doesNotThrowAnyException();
        assertThatThrownBy(() -> MemoryNeed.requireIn(spec, plan, plan.need() - 1))
                .isInstanceOf(BadDataException.class)
                .hasMessageContainingAll(
                        "training needs %.1f GB of memory".formatted(plan.need() / 1e9),
                        "for weights, gradients and moments",
                        "--set train.recompute=1 would fit");
        assertThatThrownBy(() -> MemoryNeed.requireIn(spec, plan, 1_000_000_000))
                .hasMessageContaining("lower model.layers or model.width");
    }

    @Test
    void ofCharactersTheLeastIsSaid() {
        RunSpec spec = SpecResolver.forMachine(
                SpecLoader.load("quickstart", List.of(), List.of("model.width=1024")), new Processor(2, false));
        MemoryPlan least = MemoryPlan.of(spec);
        assertThat(least.need())
                .isLessThan(MemoryPlan.of(SpecResolver.forDataset(spec, 65)).need());
        assertThatThrownBy(() -> MemoryNeed.requireIn(spec, least, least.need() - 1))
                .hasMessageContaining("training needs at least");
        RunSpec bytePairs = SpecResolver.forMachine(
                SpecLoader.load("quickstart", List.of(), List.of("dataset.tokenizer=gpt2")), new Processor(2, false));
        assertThat(SpecResolver.forTokenizer(bytePairs).model().vocabulary()).isEqualTo(50257);
    }

    @ParameterizedTest
    @CsvSource({"40e9, train.microBatch=32", "11e9, train.microBatch=8"})
    void theLargestMicroBatchThatFitsIsTheCheapestChange(double memory, String settings) {
        RunSpec spec = spec("speedrun-01", "train.precision=bf16", "train.microBatch=64");
        Change cheapest = Changes.of(spec, 1, GPUS, (long) memory).cheapest().orElseThrow();
        assertThat(cheapest.settings()).containsExactly(settings);
        assertThat(cheapest.flops()).isEqualTo(1);
        assertThat(cheapest.need()).isLessThanOrEqualTo((long) memory);
    }

    @Test
    void whatIsComputedTwiceComesAfterWhatIsNot() {
        RunSpec spec = spec("speedrun-01", "train.precision=bf16", "train.microBatch=64");
        long least = Changes.of(spec, 1, GPUS, 1).alone().stream()
                .filter(change -> change.settings().equals(List.of("train.microBatch=1")))
                .findFirst()
                .orElseThrow()
                .need();
        assertThat(Changes.of(spec, 1, GPUS, least).cheapest().orElseThrow().settings())
                .containsExactly("train.microBatch=1");
        assertThat(Changes.of(spec, 1, GPUS, least - 1).cheapest().orElseThrow().settings())
                .containsExactly("train.microBatch=1", "train.recompute=1");
    }

    @Test
    void settingsAreCombinedWhereNoneIsEnoughAlone() {
        RunSpec spec = spec("speedrun-18");
        Hardware.Gpus none = new Hardware.Gpus(Precision.BF16, 0);
        List<Change> alone = Changes.of(spec, 8, none, 1).alone();
        assertThat(alone).extracting(Change::fits).containsOnly(false);
        assertThat(alone.stream().flatMap(change -> change.settings().stream()))
                .contains("--zero 1", "train.recompute=1", "train.recompute=2", "model.sequenceLength=64");
        long least = alone.stream()
                .filter(change -> change.settings().getFirst().startsWith("train.recompute"))
                .mapToLong(Change::need)
                .min()
                .orElseThrow();
        Change both = Changes.of(spec, 8, none, least - 1).cheapest().orElseThrow();
        assertThat(both.settings()).containsExactly("--zero 1", "train.recompute=2");
        assertThat(both.flops()).isBetween(1.0000001, 1.01);
        assertThat(both.price()).contains("the same bits");
        assertThat(Changes.of(spec, 8, none, 1).cheapest()).isEmpty();
    }

    /** Else a run that does not fit would pass for a small one. */
    @ParameterizedTest
    @MethodSource("names")
    void aGlanceSeesNoLessThanThePlan(String preset) {
        RunSpec spec = SpecResolver.forTokenizer(
                SpecResolver.forMachine(Presets.named(preset).spec(), new Processor(2, true)));
        assertThat(MemoryNeed.atMost(spec))
                .isGreaterThanOrEqualTo(MemoryPlan.of(spec).need());
    }

    private static List<String> names() {
        return Presets.NAMES;
    }

    /** The command line and workers plan as well, and have no module for vectors. */
    @Test
    void aProcessWithoutVectorsPlansToo() throws Exception {
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        WithoutVectors.class.getName())
                .redirectErrorStream(true)
                .start();
        try {
            String told = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(other.waitFor()).as(told).isZero();
            assertThat(told).contains("planned ");
        } finally {
            other.destroyForcibly();
        }
    }

    /** What the process without vectors does. */
    static final class WithoutVectors {
        private WithoutVectors() {}

        public static void main(String[] arguments) {
            RunSpec spec = SpecResolver.forTokenizer(
                    SpecResolver.forMachine(Presets.named("speedrun-18").spec(), new Processor(2, true)));
            System.out.println("planned " + MemoryPlan.of(spec).need());
        }
    }
}
