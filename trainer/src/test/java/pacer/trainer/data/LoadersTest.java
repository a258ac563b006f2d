package pacer.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.spec.TrainSpec;

class LoadersTest {

    @TempDir
    Path folder;

    private final List<TokenShards> opened = new ArrayList<>();

    @AfterEach
    void close() {
        opened.forEach(TokenShards::close);
    }

    /** Shards of these sizes, numbered on through all of them, so that a window's tokens tell its place. */
    private TokenShards shards(int... sizes) {
        List<Path> files = new ArrayList<>();
        int first = 0;
        for (int size : sizes) {
            files.add(ShardFiles.counting(
                    folder.resolve("%s-%03d.bin".formatted(opened.size(), files.size())), first, size));
            first += size;
        }
        TokenShards shards = TokenShards.open(files, 1 << 16);
        opened.add(shards);
        return shards;
    }

    static Stream<Function<TokenShards, TokenLoader>> loaders() {
        return Arrays.stream(TrainSpec.Loader.values()).map(order -> shards -> TokenLoader.of(order, shards, 1337));
    }

    @ParameterizedTest
    @MethodSource("loaders")
    void neverCrossesShards(Function<TokenShards, TokenLoader> loader) {
        TokenLoader windows = loader.apply(shards(100, 7, 9, 8, 1, 64));
        for (long sample = 0; sample < 500; sample++) {
            int[] window = ShardFiles.window(windows, sample, 8);
            for (int i = 1; i < window.length; i++) {
                assertThat(window[i]).isEqualTo(window[0] + i);
            }
            assertThat(shardOf(window[0])).isEqualTo(shardOf(window[8])).isIn(0, 2, 5);
        }
        assertThat(windows.tokens()).isEqualTo(189);
    }

    private static int shardOf(int token) {
        int[] ends = {100, 107, 116, 124, 125, 189};
        return IntStream.range(0, 6).filter(s -> token < ends[s]).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("loaders")
    void resumesExactlyAndGivesEveryRankItsShareOfTheSameData(Function<TokenShards, TokenLoader> loader) {
        TokenShards shards = shards(1000, 300);
        long batch = 12;
        List<int[]> whole = samples(loader.apply(shards), 0, 40 * batch);

        TokenLoader resumed = loader.apply(shards);
        samples(resumed, 5, 9); // whatever was asked before leaves no trace
        assertThat(samples(resumed, 17 * batch, 40 * batch)).containsExactlyElementsOf(whole.subList(17 * 12, 40 * 12));

        for (int ranks : new int[] {1, 2, 4}) {
            List<TokenLoader> each = IntStream.range(0, ranks)
                    .mapToObj(r -> loader.apply(shards))
                    .toList();
            List<int[]> gathered = new ArrayList<>();
            for (int step = 0; step < 40; step++) {
                for (int rank = 0; rank < ranks; rank++) {
                    long first = step * batch + rank * batch / ranks;
                    gathered.addAll(samples(each.get(rank), first, first + batch / ranks));
                }
            }
            assertThat(gathered).containsExactlyElementsOf(whole);
        }
    }

    @ParameterizedTest
    @MethodSource("loaders")
    void changesLengthAtAnyTime(Function<TokenShards, TokenLoader> loader) {
        TokenShards shards = shards(500, 200);
        TokenLoader changing = loader.apply(shards);
        for (int length : new int[] {8, 32, 8, 499}) {
            assertThat(ShardFiles.window(changing, 3, length))
                    .isEqualTo(ShardFiles.window(loader.apply(shards), 3, length));
        }
    }

    @ParameterizedTest
    @MethodSource("loaders")
    void refusesDataWithoutAWindow(Function<TokenShards, TokenLoader> loader) {
        TokenShards shards = shards(20, 32, 7);
        TokenLoader windows = loader.apply(shards);
        assertThat(ShardFiles.window(windows, 0, 31)).hasSize(32);
        assertThatThrownBy(() -> ShardFiles.window(windows, 0, 32))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining(
                        "-001.bin: 32 tokens, and no other shard has more: a window of 32 with its targets takes 33");
        assertThatThrownBy(() -> shards.requireWindow(32)).isInstanceOf(BadDataException.class);
        shards.requireWindow(31);
    }

    @Test
    void refusesATokenBeyondTheVocabularyOfTheModel() {
        Path file = ShardFiles.counting(folder.resolve("a.bin"), 60, 40);
        try (TokenShards shards = TokenShards.open(List.of(file), 65)) {
            assertThatThrownBy(() -> ShardFiles.window(new SequentialLoader(shards), 0, 8))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContaining("a.bin: token 5 is 65, but the vocabulary has 65");
        }
    }

    @Test
    void readsSequentiallyAndWraps() {
        SequentialLoader loader = new SequentialLoader(shards(17, 16, 25));
        int[] firsts = LongStream.range(0, 8)
                .mapToInt(sample -> ShardFiles.window(loader, sample, 8)[0])
                .toArray();
        // two windows in 17 tokens, one in 16 (the second lacks its last target), three in 25
        assertThat(firsts).containsExactly(0, 8, 17, 33, 41, 49, 0, 8);
        assertThat(loader.windowsPerEpoch(8)).isEqualTo(6);
    }

    /** Chi-squared over all 1,992 places of two shards: 1,991 degrees of freedom, five standard deviations. */
    @Test
    void drawsEveryPlaceEquallyOften() {
        RandomLoader loader = new RandomLoader(shards(1008, 1000), 1);
        int[] counts = new int[2008];
        int draws = 200_000;
        for (int sample = 0; sample < draws; sample++) {
            counts[ShardFiles.window(loader, sample, 8)[0]]++;
        }
        int[] places = IntStream.concat(IntStream.range(0, 1000), IntStream.range(1008, 2000))
                .map(i -> counts[i])
                .toArray();
        assertThat(Arrays.stream(places).sum()).isEqualTo(draws);
        assertThat(Arrays.stream(places).min().orElseThrow())
                .as("first and last places too")
                .isPositive();
        double expected = (double) draws / places.length;
        double chi = Arrays.stream(places)
                .mapToDouble(n -> (n - expected) * (n - expected) / expected)
                .sum();
        assertThat(chi).isBetween(1991 - 5 * Math.sqrt(2 * 1991), 1991 + 5 * Math.sqrt(2 * 1991));
    }

    @Test
    void drawsOtherWindowsUnderAnotherSeed() {
        TokenShards shards = shards(5000);
        List<int[]> one = samples(new RandomLoader(shards, 1), 0, 50);
        List<int[]> two = samples(new RandomLoader(shards, 2), 0, 50);
        assertThat(one.stream()
                        .filter(w -> two.stream().anyMatch(v -> v[0] == w[0]))
                        .count())
                .isLessThan(5);
        assertThat(firsts(samples(new ShuffledLoader(shards, 1), 0, 50)))
                .isNotEqualTo(firsts(samples(new ShuffledLoader(shards, 2), 0, 50)));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 9, 16, 17, 100, 1000, 1001, 9999})
    void showsEveryWindowOnceAnEpochInAnotherOrderEachTime(int tokens) {
        TokenShards shards = shards(tokens, 33);
        ShuffledLoader loader = new ShuffledLoader(shards, 3);
        int length = 8;
        int perEpoch = Math.toIntExact(loader.windowsPerEpoch(length));
        assertThat(perEpoch).isBetween((tokens - 1) / length + 4 - 1, (tokens - 1) / length + 4);
        Set<List<Integer>> orders = new HashSet<>();
        for (int epoch = 0; epoch < 6; epoch++) {
            List<Integer> firsts = firsts(samples(loader, (long) epoch * perEpoch, (epoch + 1L) * perEpoch));
            orders.add(firsts);
            List<Integer> sorted = firsts.stream().sorted().toList();
            for (int i = 1; i < perEpoch; i++) {
                boolean sameShard = sorted.get(i - 1) < tokens == sorted.get(i) < tokens;
                assertThat(sorted.get(i) - sorted.get(i - 1))
                        .satisfiesAnyOf(gap -> assertThat(gap).isEqualTo(length), gap -> assertThat(sameShard)
                                .isFalse());
            }
        }
        assertThat(orders).hasSizeGreaterThanOrEqualTo(5);
    }

    @Test
    void cutsTheTextAtOtherPlacesInLaterEpochs() {
        ShuffledLoader loader = new ShuffledLoader(shards(4000), 3);
        long perEpoch = loader.windowsPerEpoch(8);
        Set<Integer> starts = new HashSet<>();
        for (int epoch = 0; epoch < 60; epoch++) {
            starts.add(ShardFiles.window(loader, epoch * perEpoch, 8)[0] % 8);
        }
        assertThat(starts).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void evaluatesOnFixedWindowsSpreadEvenly() {
        TokenShards shards = shards(81, 81); // ten windows of eight each
        EvaluationLoader all = new EvaluationLoader(shards, 8, 0, true);
        assertThat(all.windows()).isEqualTo(20);
        assertThat(all.tokens()).isEqualTo(160);
        assertThat(firsts(samples(all, 0, 20))).isEqualTo(firsts(samples(new SequentialLoader(shards), 0, 20)));

        EvaluationLoader some = new EvaluationLoader(shards, 8, 5 * 8 + 7, true);
        assertThat(some.windows()).isEqualTo(5);
        assertThat(firsts(samples(some, 0, 5))).containsExactly(0, 32, 64, 81 + 16, 81 + 48);
        assertThat(firsts(samples(new EvaluationLoader(shards, 8, 5 * 8, false), 0, 5)))
                .as("the first")
                .containsExactly(0, 8, 16, 24, 32);
        assertThatThrownBy(() -> ShardFiles.window(some, 5, 8)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ShardFiles.window(some, 0, 9)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new EvaluationLoader(shards, 8, 168, true))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining(
                        "evaluation.tokens is 168, but the validation data hold 8 to 160 tokens in whole windows of 8");
        assertThatThrownBy(() -> new EvaluationLoader(shards, 8, 7, true)).isInstanceOf(BadDataException.class);
    }

    private static List<int[]> samples(TokenLoader loader, long from, long to) {
        return LongStream.range(from, to)
                .mapToObj(sample -> ShardFiles.window(loader, sample, 8))
                .toList();
    }

    private static List<Integer> firsts(List<int[]> windows) {
        return windows.stream().map(window -> window[0]).toList();
    }
}
