package pacer.trainer.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static pacer.trainer.model.RandomModel.LENGTH;
import static pacer.trainer.model.RandomModel.VOCABULARY;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.model.Engine;
import pacer.trainer.model.RandomModel;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.TrainSpec.Precision;

class SamplerTest {
    private static final Sampler.Settings GREEDY = new Sampler.Settings(0, 0, 0);

    /**
     * Three contexts on, so that most tokens are drawn when the context is full. The seeds are of models whose text varies and
     * whose likeliest token leads by much more than rounding.
     */
    @ParameterizedTest
    @CsvSource({
        "true, CPU, FP32, 1, AUTO, 31, 1",
        "false, CPU, FP32, 1, AUTO, 56, 5",
        "true, CPU, FP32, 3, AUTO, 13, 21",
        "false, CPU, FP32, 2, VECTOR, 38, 40",
        "true, CPU, BF16, 1, AUTO, 33, 5",
        "false, CPU, BF16, 2, AUTO, 49, 1",
        "true, CPU, BF16, 2, VECTOR, 17, 21",
        "true, REFERENCE, FP32, 1, AUTO, 19, 21",
    })
    void theLikeliestTokensAreThoseOfFullPassesOverTheLastTokens(
            boolean bias,
            Engine.Kind kind,
            Precision precision,
            int threads,
            Gemms.Kind products,
            long seed,
            int prompt)
            throws Exception {
        try (Replica replica = RandomModel.open(bias, kind, precision, threads, products, seed, false)) {
            int[] text = Arrays.copyOf(RandomModel.tokens(prompt), prompt + 3 * LENGTH);
            double lead = Double.POSITIVE_INFINITY;
            for (int i = prompt; i < text.length; i++) {
                float[] logits = RandomModel.logits(replica, Arrays.copyOfRange(text, Math.max(0, i - LENGTH), i));
                float[] sorted = logits.clone();
                Arrays.sort(sorted);
                text[i] = IntStream.range(0, VOCABULARY)
                        .filter(v -> logits[v] == sorted[VOCABULARY - 1])
                        .findFirst()
                        .orElseThrow();
                lead = Math.min(lead, sorted[VOCABULARY - 1] - sorted[VOCABULARY - 2]);
            }
            int[] expected = Arrays.copyOfRange(text, prompt, text.length);
            assertThat(lead).isGreaterThan(precision == Precision.BF16 ? 0.04 : 0.01);
            assertThat(Arrays.stream(expected).distinct().count()).isGreaterThan(8);
            assertThat(sample(replica, RandomModel.tokens(prompt), expected.length, GREEDY, 0))
                    .containsExactly(expected);
        }
    }

    private static int[] sample(Replica replica, int[] prompt, int count, Sampler.Settings settings, int number) {
        IntStream.Builder drawn = IntStream.builder();
        new Sampler(replica.decoder()).continuing(prompt, count, settings, number, VOCABULARY, drawn::add);
        return drawn.build().toArray();
    }

    @Test
    void sameSeedSameText() throws Exception {
        Sampler.Settings settings = new Sampler.Settings(1, 10, 1337);
        try (Replica replica = RandomModel.open(true, Engine.Kind.CPU, Precision.FP32, 2, Gemms.Kind.AUTO, 1, false)) {
            int[] prompt = RandomModel.tokens(4);
            int[] text = sample(replica, prompt, 50, settings, 0);
            assertThat(sample(replica, prompt, 50, settings, 1)).isNotEqualTo(text);
            assertThat(sample(replica, prompt, 50, settings, 0)).isEqualTo(text);
            assertThat(sample(replica, prompt, 50, new Sampler.Settings(1, 10, 1338), 0))
                    .isNotEqualTo(text);
        }
    }

    @Test
    void aTextKnowsNothingOfTheOneBefore() throws Exception {
        Sampler.Settings settings = new Sampler.Settings(1, 0, 1337);
        int[] prompt = RandomModel.tokens(6);
        int[] other = Arrays.stream(prompt).map(token -> VOCABULARY - 1 - token).toArray();
        try (Replica fresh = open();
                Replica used = open()) {
            int[] text = sample(fresh, prompt, 12, settings, 0);
            assertThat(sample(used, other, 12, settings, 0)).isNotEqualTo(text);
            assertThat(sample(used, prompt, 12, settings, 0)).isEqualTo(text);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1})
    void aModelThatDivergedWritesNothing(double temperature) throws Exception {
        try (Replica replica = open()) {
            float[] none = new float[Math.toIntExact(replica.weights().size())];
            Arrays.fill(none, Float.NaN);
            replica.device().write(replica.weights(), MemorySegment.ofArray(none));
            Sampler.Settings settings = new Sampler.Settings(temperature, 0, 1);
            assertThatThrownBy(() -> sample(replica, RandomModel.tokens(4), 1, settings, 0))
                    .isInstanceOf(NoNumbersException.class)
                    .hasMessageContaining("diverged");
        }
    }

    private static Replica open() throws Exception {
        return RandomModel.open(false, Engine.Kind.CPU, Precision.FP32, 1, Gemms.Kind.AUTO, 56, false);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 76, 77, 100, 0})
    void drawsFromTheLikeliestAlone(int k) throws Exception {
        try (Replica replica = RandomModel.open(true, Engine.Kind.CPU, Precision.FP32, 1, Gemms.Kind.AUTO, 1, false)) {
            int[] prompt = RandomModel.tokens(4);
            float[] logits = RandomModel.logits(replica, prompt);
            float[] sorted = logits.clone();
            Arrays.sort(sorted);
            float least = k == 0 || k > VOCABULARY ? sorted[0] : sorted[VOCABULARY - k];
            Set<Integer> drawn = new TreeSet<>();
            for (int number = 0; number < 1000; number++) {
                // so hot that all that may be drawn are about as likely
                drawn.add(sample(replica, prompt, 1, new Sampler.Settings(50, k, 1), number)[0]);
            }
            assertThat(drawn)
                    .containsExactlyElementsOf(IntStream.range(0, VOCABULARY)
                            .filter(v -> logits[v] >= least)
                            .boxed()
                            .toList());
        }
    }
}
