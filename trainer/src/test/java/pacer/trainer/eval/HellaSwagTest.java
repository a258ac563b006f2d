package pacer.trainer.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.data.BadDataException;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.model.Engine;
import pacer.trainer.model.RandomModel;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.TrainSpec.Precision;
import pacer.trainer.text.CharacterTokenizer;
import pacer.trainer.text.Tokenizer;

class HellaSwagTest {
    private static final int LENGTH = RandomModel.LENGTH;

    /** A token a character, as many as the model knows; the space is the first. */
    private static final Tokenizer TOKENIZER = CharacterTokenizer.of(IntStream.range(0, RandomModel.VOCABULARY)
            .mapToObj(i -> Character.toString(' ' + i))
            .toList());

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void choosesTheEndingOfTheLeastMeanLoss(int threads) throws Exception {
        Path file = write(examples(40));
        List<HellaSwagExample> examples = HellaSwagExample.read(file, 40, TOKENIZER, LENGTH);
        List<HellaSwag.Answer> answers = new ArrayList<>();
        List<Long> heard = new ArrayList<>();
        try (Replica replica = open(threads, false);
                Replica one = open(1, false)) {
            Optional<Integer> right = HellaSwag.read(file, 40, TOKENIZER, LENGTH)
                    .measure(replica, new SoloCollectives(), () -> false, heard::add, answers::add);
            assertThat(answers).hasSize(40);
            int expectedRight = 0;
            for (HellaSwag.Answer answer : answers) {
                HellaSwagExample example = examples.get(answer.index());
                int best = 0;
                double[] means = new double[4];
                for (int ending = 0; ending < 4; ending++) {
                    double loss = RandomModel.loss(one, example.context(), example.endings()[ending]);
                    assertThat(answer.endings().get(ending).loss()).isCloseTo(loss, within(1e-3));
                    means[ending] = loss / example.endings()[ending].length;
                    best = means[ending] < means[best] ? ending : best;
                }
                assertThat(answer.choice()).isEqualTo(best);
                expectedRight += best == example.label() ? 1 : 0;
            }
            assertThat(right).contains(expectedRight);
        }
        assertThat(heard).isSorted().endsWith(40L);
    }

    @Test
    void inTrainingItAsksInTheMemoryOfActivations() throws Exception {
        HellaSwag examples = HellaSwag.read(write(examples(40)), 40, TOKENIZER, LENGTH);
        try (Replica still = open(1, false);
                Replica training = open(2, true)) {
            assertThat(examples.measure(training, new SoloCollectives(), () -> false, _ -> {}, _ -> {}))
                    .isEqualTo(examples.measure(still, new SoloCollectives(), () -> false, _ -> {}, _ -> {}));
        }
    }

    @Test
    void isGivenUpBetweenBatches() throws Exception {
        HellaSwag examples = HellaSwag.read(write(examples(40)), 40, TOKENIZER, LENGTH);
        List<HellaSwag.Answer> answers = new ArrayList<>();
        try (Replica replica = open(1, false)) {
            assertThat(examples.measure(replica, new SoloCollectives(), () -> true, _ -> {}, answers::add))
                    .isEmpty();
        }
        assertThat(answers).isNotEmpty().hasSizeLessThan(40);
    }

    @Test
    void aLossThatIsNoNumberIsNoChoice() throws IOException {
        HellaSwag.Answer answer = new HellaSwag.Answer(
                0,
                Stream.of(3.0, Double.NaN, 1.0, 2.0)
                        .map(loss -> new HellaSwag.Ending(loss, 1))
                        .toList(),
                0);
        assertThat(answer.choice()).isEqualTo(-1);
        Path file = folder.resolve("answers.jsonl");
        HellaSwag.write(List.of(answer), file);
        JsonNode read = new ObjectMapper().readTree(file.toFile());
        assertThat(read.get("choice").intValue()).isEqualTo(-1);
        assertThat(read.get("losses").get(1).isNull()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'ctx': 'A', 'endings': ['B', 'C', 'D'], 'label': 0} | must have 4 endings, has 3",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E', 'F'], 'label': 0} | must have 4 endings, has 5",
                "{'ctx': 'A', 'label': 0} | must have 4 endings, has none",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', ''], 'label': 0} | ending 3 \"\" must be a text",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 7], 'label': 0} | ending 3 7 must be a text",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E'], 'label': '3'} | label \"3\" must be a number from 0 to 3",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E'], 'label': -1} | label -1 must be a number from 0 to 3",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E'], 'label': 4} | label 4 must be a number from 0 to 3",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E'], 'label': 1.5} | label 1.5 must be a number from 0 to 3",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E']} | label (missing) must be a number from 0 to 3",
                "{'ctx': '', 'endings': ['B', 'C', 'D', 'E'], 'label': 0} | ctx \"\" must be a text",
                "{'ctx': 'A', 'ctx': 'B', 'endings': ['B', 'C', 'D', 'E'], 'label': 0} | is no JSON object: Duplicate field 'ctx'",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E'], 'label': 0 | is no JSON object: Unexpected end-of-input",
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E'], 'label': 0} {} | is no JSON object: Trailing token",
                "['ctx'] | is no JSON object",
                "'' | is blank",
                "{'ctx': '\\ud83d', 'endings': ['B', 'C', 'D', 'E'], 'label': 0} | ctx has half a character, a lone surrogate",
                "{'ctx': 'AAAAAAAAAA', 'endings': ['B', 'C', 'D', 'EEEEEEEEEEEE'], 'label': 0} | takes 22 tokens, the model sees 21; raise model.sequenceLength, or lower hellaSwag.examples to 1",
                "{'ctx': 'é', 'endings': ['B', 'C', 'D', 'E'], 'label': 0} | ctx: ",
            })
    void namesFileLineAndWhatIsWrong(String line, String message) throws IOException {
        Path file = write(List.of(
                "{'ctx': 'A', 'endings': ['B', 'C', 'D', 'E'], 'label': 0}\r".replace('\'', '"'),
                line.replace('\'', '"'),
                "{}"));
        assertThatThrownBy(() -> HellaSwag.read(file, 2, TOKENIZER, LENGTH))
                .isInstanceOf(BadDataException.class)
                .hasMessageStartingWith(file + ", line 2: " + message);
        assertThat(HellaSwag.read(file, 1, TOKENIZER, LENGTH).count()).isEqualTo(1); // with its carriage return
    }

    @Test
    void refusesALineThatIsNoTextAndOneWithoutEnd() throws IOException {
        Path file = Files.write(folder.resolve("bytes.jsonl"), new byte[] {'{', (byte) 0xff, '}', '\n'});
        assertThatThrownBy(() -> HellaSwag.read(file, 1, TOKENIZER, LENGTH))
                .hasMessageStartingWith(file + ", line 1: is no UTF-8");
        Path endless = Files.writeString(folder.resolve("endless.jsonl"), "x".repeat(1_100_000));
        assertThatThrownBy(() -> HellaSwag.read(endless, 1, TOKENIZER, LENGTH))
                .hasMessageStartingWith(endless + ", line 1: is longer than 1,048,576 bytes");
    }

    @Test
    void saysHowManyExamplesThereAre() throws IOException {
        Path file = write(examples(3));
        assertThatThrownBy(() -> HellaSwag.read(file, 4, TOKENIZER, LENGTH))
                .hasMessage(file + " has 3 examples, hellaSwag.examples asks for 4; lower it, or fetch the file anew");
        Path empty = Files.createFile(folder.resolve("empty.jsonl"));
        assertThatThrownBy(() -> HellaSwag.read(empty, 1, TOKENIZER, LENGTH)).hasMessageContaining("has 0 examples");
    }

    private static Replica open(int threads, boolean training) throws IOException {
        return RandomModel.open(true, Engine.Kind.CPU, Precision.FP32, threads, Gemms.Kind.AUTO, 1, training);
    }

    private static List<String> examples(int count) {
        Random random = new Random(5);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String endings = IntStream.range(0, 4)
                    .mapToObj(_ -> '"' + text(random, 1 + random.nextInt(7)) + '"')
                    .collect(Collectors.joining(", "));
            lines.add("{\"ctx\": \"%s\", \"endings\": [%s], \"label\": %d}"
                    .formatted(text(random, 1 + random.nextInt(13)), endings, random.nextInt(4)));
        }
        return lines;
    }

    private static String text(Random random, int length) {
        return random.ints(length, 'A', 'Z' + 1).mapToObj(Character::toString).collect(Collectors.joining());
    }

    private Path write(List<String> lines) throws IOException {
        String text = lines.stream().map(line -> line + '\n').collect(Collectors.joining());
        return Files.write(folder.resolve("examples.jsonl"), text.getBytes(StandardCharsets.UTF_8));
    }
}
