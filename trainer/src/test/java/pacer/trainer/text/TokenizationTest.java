package pacer.trainer.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.Split;
import pacer.trainer.spec.DatasetSpec.Format;
import pacer.trainer.spec.DatasetSpec.Tokenizer;
import pacer.trainer.text.Tokenization.Phase;

class TokenizationTest {
    private static final Tokenization.ProgressListener SILENT = (phase, done, total) -> {};

    @TempDir
    Path folder;

    private int runs;

    private Tokenization tokenization(
            String raw, Format format, Tokenizer tokenizer, double validation, int shardTokens, int threads)
            throws IOException {
        Path file = Files.writeString(folder.resolve("raw"), raw);
        return new Tokenization(
                file, format, tokenizer, validation, folder.resolve("out" + runs++), shardTokens, threads);
    }

    @Test
    void cutsCharactersAsNanogptDoes() throws Exception {
        String text = "abcdé😀\nxyz12".repeat(10) + "ab"; // 122 characters
        Tokenization job = tokenization(text, Format.TEXT, Tokenizer.CHARACTERS, 0.1, 50, 2);
        Tokenization.Result result = job.run(SILENT);
        int[] characters = text.codePoints().toArray();
        List<String> vocabulary = Arrays.stream(characters)
                .distinct()
                .sorted()
                .mapToObj(Character::toString)
                .toList();
        assertThat(result.characters()).isEqualTo(vocabulary);
        assertThat(result.vocabularySize()).isEqualTo(vocabulary.size());
        assertThat(result.units()).isEqualTo(122);
        // int(122 * 0.9) = 109
        int[] expected = CharacterTokenizer.of(vocabulary).encode(text);
        assertThat(tokens(job, result, Split.TRAIN)).isEqualTo(Arrays.copyOf(expected, 109));
        assertThat(tokens(job, result, Split.VALIDATION)).isEqualTo(Arrays.copyOfRange(expected, 109, 122));
        assertThat(result.shards().stream().map(Tokenization.Shard::name).toList())
                .containsExactly("train-000000.bin", "train-000001.bin", "train-000002.bin", "val-000000.bin");
        assertThat(result.shards().stream().map(Tokenization.Shard::tokens).toList())
                .containsExactly(50L, 50L, 9L, 13L);
    }

    @Test
    void cutsTextForGpt2AtTheSameCharacterAndEncodesBothPartsApart() throws Exception {
        String text = NastyText.of(new Random(1), 3000);
        Tokenization job = tokenization(text, Format.TEXT, Tokenizer.GPT2, 0.1, 1_000_000, 1);
        Tokenization.Result result = job.run(SILENT);
        int characters = text.codePointCount(0, text.length());
        int cut = text.offsetByCodePoints(0, (int) (characters * 0.9));
        Gpt2Tokenizer gpt2 = Gpt2Tokenizer.instance();
        assertThat(tokens(job, result, Split.TRAIN)).isEqualTo(gpt2.encode(text.substring(0, cut)));
        assertThat(tokens(job, result, Split.VALIDATION)).isEqualTo(gpt2.encode(text.substring(cut)));
        assertThat(result.characters()).isEmpty();
        assertThat(result.vocabularySize()).isEqualTo(50257);
    }

    @Test
    void writesTheSameBytesWhateverTheThreadsAndBlocks() throws Exception {
        Random random = new Random(2);
        String text = NastyText.of(random, 6000);
        String lines = IntStream.range(0, 300)
                .mapToObj(i -> "{\"id\":" + i + ",\"text\":" + json(NastyText.of(random, random.nextInt(30))) + "}")
                .reduce("", (all, line) -> all + line + "\n");
        for (Tokenizer tokenizer : Tokenizer.values()) {
            for (Format format : List.of(Format.TEXT, Format.JSONL)) {
                String raw = format == Format.TEXT ? text : lines;
                List<Tokenization.Shard> reference = null;
                for (int[] way : new int[][] {{1, 1 << 20}, {1, 600}, {2, 601}, {4, 1500}, {3, 4096}}) {
                    Tokenization job = tokenization(raw, format, tokenizer, 0.2, 7001, way[0]);
                    List<Tokenization.Shard> shards = job.run(SILENT, way[1]).shards();
                    reference = reference == null ? shards : reference;
                    assertThat(shards)
                            .as("%s %s %s", tokenizer, format, Arrays.toString(way))
                            .isEqualTo(reference);
                }
            }
        }
    }

    @Test
    void describesTheShardsThatItWrote() throws Exception {
        Tokenization job = tokenization(NastyText.of(new Random(3), 2000), Format.TEXT, Tokenizer.GPT2, 0.3, 1000, 2);
        Tokenization.Result result = job.run(SILENT);
        assertThat(result.shards()).hasSizeGreaterThan(4);
        for (Tokenization.Shard shard : result.shards()) {
            byte[] bytes = Files.readAllBytes(job.folder().resolve(shard.name()));
            assertThat(bytes).hasSize((int) shard.bytes()).hasSize((int) (1024 + 2 * shard.tokens()));
            assertThat(shard.sha256())
                    .isEqualTo(HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
        }
        assertThat(names(job.folder())).hasSize(result.shards().size());
        assertThat(result.tokens(Split.TRAIN) + result.tokens(Split.VALIDATION))
                .isEqualTo(result.shards().stream()
                        .mapToLong(Tokenization.Shard::tokens)
                        .sum());
    }

    @Test
    void keepsLineEndsAndByteOrderMark() throws Exception {
        Tokenization job = tokenization("\ufeffa\r\nb", Format.TEXT, Tokenizer.CHARACTERS, 0, 100, 1);
        Tokenization.Result result = job.run(SILENT);
        assertThat(result.characters()).containsExactly("\n", "\r", "a", "b", "\ufeff");
        assertThat(tokens(job, result, Split.TRAIN)).containsExactly(4, 2, 1, 0, 3);
        assertThat(tokens(job, result, Split.VALIDATION)).isEmpty();
    }

    @Test
    void putsASeparatorBeforeEachDocument() throws Exception {
        String lines = "{\"text\": \"Hello\", \"meta\": {\"text\": [1]}}\r\n\n  "
                + "\n{\"text\":\"\"}\n{\"a\":null,\"text\":\"x\\ny <|endoftext|>\"}";
        Tokenization gpt2 = tokenization(lines, Format.JSONL, Tokenizer.GPT2, 0.34, 100, 2);
        Tokenization.Result result = gpt2.run(SILENT);
        assertThat(result.units()).isEqualTo(3);
        assertThat(tokens(gpt2, result, Split.TRAIN)).containsExactly(50256, 15496);
        assertThat(tokens(gpt2, result, Split.VALIDATION)).startsWith(50256, 50256, 87);

        Tokenization all = tokenization(lines, Format.JSONL, Tokenizer.GPT2, 0, 100, 2);
        List<Integer> expected = new ArrayList<>();
        for (String document : List.of("Hello", "", "x\ny <|endoftext|>")) {
            expected.add(50256);
            Arrays.stream(Gpt2Tokenizer.instance().encode(document)).forEach(expected::add);
        }
        assertThat(Arrays.stream(tokens(all, all.run(SILENT), Split.TRAIN))
                        .boxed()
                        .toList())
                .isEqualTo(expected);

        Tokenization characters =
                tokenization("{\"text\":\"ab\"}\n{\"text\":\"b\"}", Format.JSONL, Tokenizer.CHARACTERS, 0, 100, 1);
        Tokenization.Result of = characters.run(SILENT);
        assertThat(of.characters()).containsExactly("\n", "a", "b");
        assertThat(tokens(characters, of, Split.TRAIN)).containsExactly(0, 1, 2, 0, 2);
    }

    @Test
    void keepsTheLastDocumentsForValidation() throws Exception {
        String lines = IntStream.range(0, 10)
                .mapToObj(i -> "\n{\"text\":\"" + i + "\"}\n")
                .reduce("", String::concat);
        for (int blockBytes : new int[] {20, 1 << 20}) {
            Tokenization job = tokenization(lines, Format.JSONL, Tokenizer.CHARACTERS, 0.2, 100, 2);
            Tokenization.Result result = job.run(SILENT, blockBytes);
            assertThat(tokens(job, result, Split.TRAIN)).hasSize(16).endsWith(0, 8);
            assertThat(tokens(job, result, Split.VALIDATION)).containsExactly(0, 9, 0, 10);
        }
    }

    @Test
    void reportsProgressToTheLastByteInTheCallersThread() throws Exception {
        Tokenization job = tokenization("word ".repeat(1000), Format.TEXT, Tokenizer.GPT2, 0.1, 1000, 2);
        List<Long> scanned = new ArrayList<>();
        List<Long> tokenized = new ArrayList<>();
        Thread caller = Thread.currentThread();
        job.run(
                (phase, done, total) -> {
                    assertThat(Thread.currentThread()).isSameAs(caller);
                    assertThat(total).isEqualTo(5000);
                    (phase == Phase.SCAN ? scanned : tokenized).add(done);
                },
                1000);
        assertThat(scanned).isSorted().hasSizeGreaterThan(4).endsWith(5000L);
        assertThat(tokenized).isSorted().hasSizeGreaterThan(4).endsWith(5000L);
    }

    @Test
    void leavesNothingWhenStopped() throws Exception {
        Tokenization job = tokenization("word ".repeat(10_000), Format.TEXT, Tokenizer.GPT2, 0.1, 100, 2);
        assertThatThrownBy(() -> job.run(
                        (phase, done, total) -> {
                            if (phase == Phase.TOKENIZE && done > 30_000) {
                                throw new IllegalStateException("cancelled");
                            }
                        },
                        1000))
                .hasMessage("cancelled");
        assertThat(names(job.folder())).isEmpty();

        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> job.run(SILENT)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
        assertThat(names(job.folder())).isEmpty();
    }

    @Test
    void namesTheByteThatIsNoUtf8() throws Exception {
        byte[] bytes = "äöü text, ".repeat(500).getBytes(UTF_8);
        bytes[4003] = (byte) 0xFF;
        bytes[6000] = (byte) 0xFF;
        for (int blockBytes : new int[] {64, 1 << 20}) {
            Path raw = Files.write(folder.resolve("raw"), bytes);
            Tokenization job = new Tokenization(raw, Format.TEXT, Tokenizer.GPT2, 0.1, folder.resolve("bad"), 100, 3);
            assertThatThrownBy(() -> job.run(SILENT, blockBytes))
                    .isInstanceOf(BadDataException.class)
                    .hasMessage(raw + ": byte 4003: 0xFF is no UTF-8 there; convert the file to UTF-8");
            assertThat(names(job.folder())).isEmpty();
        }
    }

    @Test
    void namesTheLineThatIsNoDocument() throws Exception {
        expectLine("{\"text\":\"cut", "line 41: column 13: no JSON: Unexpected end-of-input");
        expectLine("{\"text\":\"cut\"", "line 41: column 14: no JSON: Unexpected end-of-input");
        expectLine("not json", "line 41: column 1: no JSON: Unrecognized token 'not'");
        expectLine("[1]", "line 41: not a JSON object");
        expectLine("{\"body\":\"x\"}", "line 41: has no field \"text\"");
        expectLine("{\"text\":null}", "line 41: field \"text\" is not a string");
        expectLine("{\"text\":\"a\",\"text\":\"b\"}", "line 41: column 19: no JSON: Duplicate field 'text'");
        expectLine("{\"text\":\"a\"} {}", "line 41: more than one JSON value");
        expectLine("{\"text\":\"ab\\ud800c\"}", "line 41: char 2 of the text, \\ud800, is half of a surrogate pair");
        expectLine(
                "{\"text\":\"" + "a".repeat(Gpt2Encoder.LONGEST_PIECE + 1) + "\"}",
                "line 41: a run of more than 1048576 bytes of one kind");
        expectLine("{\"text\":\"" + "a b".repeat(6_000_000) + "\"}", "line 41: the line has more than 16777216 bytes");
    }

    private void expectLine(String line, String message) throws IOException {
        String good = "{\"text\":\"good\"}\n\n".repeat(20);
        for (int blockBytes : new int[] {64, 1 << 20}) {
            for (String after : List.of("\n" + good + "bad too\n", "")) {
                Tokenization job = tokenization(good + line + after, Format.JSONL, Tokenizer.GPT2, 0.05, 100, 2);
                assertThatThrownBy(() -> job.run(SILENT, blockBytes))
                        .isInstanceOf(BadDataException.class)
                        .hasMessageStartingWith(job.raw() + ": " + message)
                        .hasMessageNotContaining("\n");
                assertThat(names(job.folder())).isEmpty();
            }
        }
    }

    @Test
    void namesTheLineWithBytesThatAreNoUtf8() throws Exception {
        byte[] bytes = "{\"text\":\"good\"}\n{\"text\":\"?\"}".getBytes(UTF_8);
        bytes[25] = (byte) 0x80;
        Path raw = Files.write(folder.resolve("raw"), bytes);
        Tokenization job = new Tokenization(raw, Format.JSONL, Tokenizer.GPT2, 0.5, folder.resolve("bad"), 100, 1);
        assertThatThrownBy(() -> job.run(SILENT))
                .hasMessageContaining("raw: line 2: byte 9 of the line, 0x80, is no UTF-8");
    }

    @Test
    void refusesFilesWithoutTextToDivide() throws Exception {
        expectRefusal("a", Format.TEXT, "1 characters cannot be divided into training and 0.1 for validation");
        expectRefusal("\n \n", Format.JSONL, "0 documents cannot be divided");
        expectRefusal("", Format.TEXT, "the file is empty");
        expectRefusal(
                "x " + "=".repeat(3_000_000), Format.TEXT, "byte 1: a run of more than 1048576 bytes of one kind");
        Path missing = folder.resolve("missing");
        Tokenization none = new Tokenization(missing, Format.TEXT, Tokenizer.GPT2, 0.1, folder.resolve("bad"), 100, 1);
        assertThatThrownBy(() -> none.run(SILENT))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("missing: no such file");
        Tokenization directory =
                new Tokenization(folder, Format.TEXT, Tokenizer.GPT2, 0.1, folder.resolve("bad"), 100, 1);
        assertThatThrownBy(() -> directory.run(SILENT))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("not a regular file");
    }

    private void expectRefusal(String raw, Format format, String message) throws IOException {
        Tokenization job = tokenization(raw, format, Tokenizer.GPT2, 0.1, 100, 1);
        assertThatThrownBy(() -> job.run(SILENT, 1 << 16))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("raw: " + message);
    }

    @Test
    void saysSoWhenTheFileChangesMeanwhile() throws Exception {
        for (boolean shorter : new boolean[] {true, false}) {
            Tokenization job = tokenization("Wörter ".repeat(2000), Format.TEXT, Tokenizer.CHARACTERS, 0.1, 100, 1);
            boolean[] changed = {false};
            assertThatThrownBy(() -> job.run(
                            (phase, done, total) -> {
                                if (phase == Phase.TOKENIZE && !changed[0]) {
                                    changed[0] = true;
                                    write(job.raw(), shorter ? "Wörter " : "other".repeat(5000));
                                }
                            },
                            1000))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContaining("raw: changed while it was read");
            assertThat(names(job.folder())).isEmpty();
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static String json(String text) {
        StringBuilder json = new StringBuilder("\"");
        text.chars()
                .forEach(c -> json.append(
                        c < ' ' || c == '"' || c == '\\' || c % 7 == 0 || Character.isSurrogate((char) c)
                                ? "\\u%04x".formatted(c)
                                : Character.toString(c)));
        return json.append('"').toString();
    }

    private static int[] tokens(Tokenization job, Tokenization.Result result, Split split) throws IOException {
        IntStream.Builder tokens = IntStream.builder();
        for (Tokenization.Shard shard : result.shards()) {
            if (shard.split() == split) {
                ByteBuffer bytes = ByteBuffer.wrap(
                                Files.readAllBytes(job.folder().resolve(shard.name())))
                        .order(ByteOrder.LITTLE_ENDIAN);
                bytes.position(1024)
                        .slice()
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asCharBuffer()
                        .chars()
                        .forEach(tokens);
            }
        }
        return tokens.build().toArray();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
