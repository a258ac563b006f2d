package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.dist.Collectives;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.HellaSwagSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;

/** A training is the same over any number of ranks: the same tokens, the same losses but for the order of sums in fp32, the same bits each time. */
class RankedTrainingTest {
    /** Of a loss, relatively: sums of some thousand terms in another order, over ten steps. */
    private static final double REDUCTION = 1e-5;

    enum Model {
        GPT2,
        /** Documents, sliding windows that grow, everything that record 18 has, and Muon. */
        RECORD_18
    }

    private static List<String> sets(Model model) {
        return switch (model) {
            case GPT2 -> List.of("optimizer={type: adamw, learningRate: 0.003}", "train.loader=random");
            case RECORD_18 ->
                List.of(
                        "model.layers=4",
                        "model.sequenceLength=64",
                        "train.batchTokens=512",
                        "train.loader=sequential",
                        "model.dropout=0",
                        "model.bias=false",
                        "model.norm=rms_norm",
                        "model.activation=relu_squared",
                        "model.tiedHead=false",
                        "model.softcap=15",
                        "model.attention={positions: rotary_half, qkNorm: true, documentToken: 1, window: 48, windowStart: 16,"
                                + " values: tables_mirrored}",
                        "model.stream={embedding: true, skips: true}",
                        "optimizer={type: muon, learningRate: 0.02, embeddingRate: 0.05, headRate: 0.01, scalarRate: 0.02}");
        };
    }

    @TempDir
    private Path folder;

    private TrainerFixture fixture;

    @BeforeEach
    void prepare() throws Exception {
        fixture = new TrainerFixture(folder);
    }

    private Path run(String name, Model model, String... more) throws Exception {
        List<String> sets = new ArrayList<>(
                List.of("train.steps=10", "train.microBatch=2", "train.threads=1", "evaluation.everySteps=5"));
        sets.addAll(sets(model));
        sets.addAll(Arrays.asList(more));
        return fixture.run(name, sets.toArray(String[]::new));
    }

    private Map<String, Double> losses(Path run) throws Exception {
        return losses(run, null);
    }

    private Map<String, Double> losses(Path run, Path weights) throws Exception {
        Map<String, Double> losses = new TreeMap<>();
        for (TrainingEvent event : RankedTraining.train(fixture.data(), run, weights)) {
            if (event instanceof TrainingEvent.Step step) {
                losses.put("step " + step.step(), step.loss());
                losses.put("norm " + step.step(), step.gradientNorm());
            } else if (event instanceof TrainingEvent.Validated validated) {
                losses.put("validated " + validated.step(), validated.loss());
            }
        }
        return losses;
    }

    @Test
    void hellaSwagIsDividedOverRanksAndChangesNoLoss() throws Exception {
        Path examples = folder.resolve("examples.jsonl");
        Files.writeString(
                examples,
                Stream.of(
                                "the cat",
                                "two birds;",
                                "a mat and",
                                "they",
                                "saw the",
                                "on a mat",
                                "and two",
                                "cat sat",
                                "birds; saw")
                        .map(context ->
                                "{\"ctx\": \"%s\", \"endings\": [\"sat\", \"flew\", \"on a\", \"two\"], \"label\": 0}\n"
                                        .formatted(context))
                        .collect(Collectors.joining()));
        Map<String, Double> plain = losses(run("plain", Model.GPT2));
        List<TrainingEvent.HellaSwag> alone = null;
        for (int ranks : new int[] {1, 2}) {
            Path run = run("asked-" + ranks, Model.GPT2, "train.ranks=" + ranks);
            // as its text is of characters, no spec could ask for it
            RunSpec spec = SpecLoader.read(run.resolve("preset.yaml"))
                    .withHellaSwag(new HellaSwagSpec(9, 5, "file:examples.jsonl", ""));
            List<TrainingEvent> events = RankedTraining.train(fixture.data(), run, spec, null, r -> r, examples);
            List<TrainingEvent.HellaSwag> asked = events.stream()
                    .filter(TrainingEvent.HellaSwag.class::isInstance)
                    .map(TrainingEvent.HellaSwag.class::cast)
                    .toList();
            assertThat(asked)
                    .extracting(TrainingEvent.HellaSwag::step)
                    .containsExactly(5); // at step 10 the evaluation does
            assertThat(asked.getFirst().examples()).isEqualTo(9);
            alone = alone == null ? asked : alone;
            assertThat(asked.getFirst().right()).isEqualTo(alone.getFirst().right());
            for (TrainingEvent event : events) {
                if (event instanceof TrainingEvent.Step step) {
                    assertThat(step.loss() / plain.get("step " + step.step())).isCloseTo(1, within(REDUCTION));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void lossesAreThoseOfOneRankAndRepeatBitForBit(Model model) throws Exception {
        Map<String, Double> alone = losses(run("alone", model));
        assertThat(alone).hasSize(10 + 10 + 3);
        for (int ranks : new int[] {2, 4, 8}) {
            Map<String, Double> first = losses(run(ranks + "-first", model, "train.ranks=" + ranks));
            assertThat(first.keySet()).isEqualTo(alone.keySet());
            first.forEach((what, loss) -> assertThat(loss / alone.get(what))
                    .as(ranks + " ranks, " + what)
                    .isCloseTo(1, within(what.startsWith("norm") ? 10 * REDUCTION : REDUCTION)));
            Map<String, Double> again = losses(run(ranks + "-again", model, "train.ranks=" + ranks));
            assertThat(again).as(ranks + " ranks again").isEqualTo(first);
        }
    }

    /** Which rank updates a parameter changes no bit of it; the norm alone is added up otherwise. */
    @ParameterizedTest
    @EnumSource
    void dividedStateChangesNoLoss(Model model) throws Exception {
        Map<String, Double> divided = losses(run("divided", model, "train.ranks=4", "train.gradientClip=0"));
        Map<String, Double> whole =
                losses(run("whole", model, "train.ranks=4", "train.gradientClip=0", "train.zeroStage=0"));
        divided.keySet().removeIf(what -> what.startsWith("norm"));
        whole.keySet().removeIf(what -> what.startsWith("norm"));
        assertThat(divided).isEqualTo(whole);
    }

    @ParameterizedTest
    @EnumSource
    void aTrainingGoesOnBitForBitAtItsNumberOfRanksAndWithinRoundingAtAnyOther(Model model) throws Exception {
        String[] checkpoints = {"checkpoint.everySteps=3", "checkpoint.keepLast=99"};
        Map<String, Double> undisturbed = losses(run("undisturbed", model, with(checkpoints, "train.ranks=4")));

        // 4 → 4, of the checkpoints that the run above wrote
        Path run = folder.resolve("undisturbed");
        cutOff(run, 6);
        Map<String, Double> same = losses(run);
        assertThat(same)
                .hasSize(4 + 4 + 1)
                .allSatisfy((what, loss) -> assertThat(loss).as(what).isEqualTo(undisturbed.get(what)));

        // 4 → 2 → 8 → 1
        int from = 3;
        for (int ranks : new int[] {2, 8, 1}) {
            cutOff(run, from);
            var _ = run("undisturbed", model, with(checkpoints, "train.ranks=" + ranks));
            Map<String, Double> rest = losses(run);
            assertThat(rest).hasSizeBetween(3, 7 + 7 + 2);
            rest.forEach((what, loss) -> assertThat(loss / undisturbed.get(what))
                    .as(ranks + " ranks, " + what)
                    .isCloseTo(1, within(what.startsWith("norm") ? 10 * REDUCTION : REDUCTION)));
            from += 3;
        }
    }

    private static String[] with(String[] some, String one) {
        return Stream.concat(Arrays.stream(some), Stream.of(one)).toArray(String[]::new);
    }

    /** As if the run had been killed soon after the checkpoint of {@code step}. */
    private static void cutOff(Path run, int step) throws Exception {
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), notice -> {});
        for (var checkpoint : store.list()) {
            if (checkpoint.state().step() > step) {
                try (Stream<Path> files = Files.list(checkpoint.folder())) {
                    for (Path file : files.toList()) {
                        Files.delete(file);
                    }
                }
                Files.delete(checkpoint.folder());
            }
        }
        assertThat(store.newest().orElseThrow().state().step()).isEqualTo(step);
    }

    /** Rank 0 alone has the files. */
    @Test
    void everyRankBeginsWithTheWeightsThatRank0Has() throws Exception {
        String[] sets = {"model.bias=true", "model.dropout=0", "train.steps=3"};
        Path first = run("first", Model.GPT2, sets);
        double before = losses(first).get("validated 3");
        Path weights = fixture.exported(first);
        String[] from = with(sets, "weights.from=file:" + weights);
        Map<String, Double> alone = losses(run("alone", Model.GPT2, from), weights);
        assertThat(alone.get("validated 0")).isEqualTo(before);
        Map<String, Double> together = losses(run("together", Model.GPT2, with(from, "train.ranks=2")), weights);
        assertThat(together.keySet()).isEqualTo(alone.keySet());
        together.forEach((what, loss) -> assertThat(loss / alone.get(what))
                .as(what)
                .isCloseTo(1, within(what.startsWith("norm") ? 10 * REDUCTION : REDUCTION)));
    }

    /** Where rank 1 of 2 dies within the second checkpoint: as it says what it keeps, or in the middle of that. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5})
    @Timeout(60)
    void aRankThatDiesWhileACheckpointIsWrittenLeavesTheOneBeforeIt(double within) throws Exception {
        String[] sets = {"train.ranks=2", "checkpoint.everySteps=3", "checkpoint.keepLast=99"};
        AtomicInteger sent = new AtomicInteger();
        Path whole = run("undisturbed", Model.GPT2, sets);
        List<TrainingEvent> undisturbed =
                RankedTraining.train(fixture.data(), whole, null, ranks -> sending(ranks, sent::incrementAndGet));
        int each = sent.get() / 4; // of steps 3, 6, 9 and 10
        assertThat(each).isGreaterThan(10);
        AtomicInteger until = new AtomicInteger(each + 1 + (int) (within * each));
        Path run = run("mortal", Model.GPT2, sets);
        assertThatThrownBy(() -> RankedTraining.train(
                        fixture.data(),
                        run,
                        null,
                        ranks -> sending(ranks, () -> {
                            if (until.decrementAndGet() == 0) {
                                ranks.close(); // as a killed process's connections
                                throw new IllegalStateException("killed");
                            }
                        })))
                .hasMessageContaining("rank 0 of 2")
                .hasMessageContaining("rank 1 is gone");
        try (Stream<Path> left = Files.list(run.resolve("checkpoints"))) {
            assertThat(left.map(path -> path.getFileName().toString()).filter(name -> name.startsWith("step")))
                    .containsExactly("step-000003");
        }
        Map<Integer, Double> expected = new TreeMap<>();
        Map<Integer, Double> rest = new TreeMap<>();
        undisturbed.forEach(event -> note(event, expected));
        RankedTraining.train(fixture.data(), run).forEach(event -> note(event, rest));
        expected.keySet().removeIf(step -> step <= 3);
        assertThat(rest).isEqualTo(expected);
    }

    private static void note(TrainingEvent event, Map<Integer, Double> losses) {
        if (event instanceof TrainingEvent.Step step) {
            losses.put(step.step(), step.loss());
        }
    }

    /** Rank 1 with something to do before it sends; other ranks as they are. */
    private static Collectives sending(Collectives ranks, Runnable before) {
        return ranks.rank() != 1
                ? ranks
                : (Collectives) Proxy.newProxyInstance(
                        Collectives.class.getClassLoader(),
                        new Class<?>[] {Collectives.class},
                        (_, method, arguments) -> {
                            if (method.getName().equals("send")) {
                                before.run();
                            }
                            try {
                                return method.invoke(ranks, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }

    @Test
    void whoGoesOnWithAnotherNumberOfRanksIsToldThatBitsDiffer() throws Exception {
        Path run = run("told", Model.GPT2, "train.ranks=2", "checkpoint.everySteps=5");
        RankedTraining.train(fixture.data(), run);
        cutOff(run, 5);
        var _ = run("told", Model.GPT2, "train.ranks=1", "checkpoint.everySteps=5");
        assertThat(RankedTraining.train(fixture.data(), run))
                .filteredOn(e -> e instanceof TrainingEvent.Notice notice
                        && notice.text().contains("bits differ"))
                .singleElement()
                .satisfies(e -> assertThat(((TrainingEvent.Notice) e).text())
                        .contains("step-000005 was computed by 2 ranks of "));
    }

    @ParameterizedTest
    @CsvSource({"GPT2, adamw", "GPT2, striped_adamw", "GPT2, adafactor", "RECORD_18, muon"})
    void ranksShareTheStateEqually(Model model, String rule) throws Exception {
        String[] sets = {"optimizer={type: " + rule + ", learningRate: 0.01}", "model.width=64"};
        RunSpec alone = SpecLoader.read(run("alone", model, sets).resolve("preset.yaml"));
        long all = RankedTraining.stateBytes(alone).getFirst();
        for (int ranks : new int[] {2, 4, 8}) {
            RunSpec spec = SpecLoader.read(
                    run("shared", model, with(sets, "train.ranks=" + ranks)).resolve("preset.yaml"));
            List<Long> shares = RankedTraining.stateBytes(spec);
            assertThat(shares.stream().mapToLong(Long::longValue).sum())
                    .as("what is kept in all")
                    .isCloseTo(all, within(all / 100));
            assertThat(shares.stream().mapToLong(Long::longValue).max().getAsLong())
                    .as("the largest of %d shares of %d bytes: %s", ranks, all, shares)
                    .isLessThan(all / ranks * (rule.equals("adamw") ? 11 : 16) / 10 + 4096);
        }
    }
}
