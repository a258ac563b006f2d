package pacer.trainer.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.Split;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec.Format;
import pacer.trainer.spec.DatasetSpec.Tokenizer;
import pacer.trainer.text.Tokenization.ProgressListener;
import pacer.trainer.text.Tokenization.Shard;

class TextPartsTest {
    private static final ProgressListener SILENT = (phase, done, total) -> {};

    @TempDir
    private Path folder;

    private int made;

    private Path next() throws IOException {
        return Files.createDirectory(folder.resolve("f" + made++));
    }

    private static TextParts parts(Path raw, Format format, Tokenizer tokenizer, double validation, int bytes)
            throws Exception {
        return TextParts.of(raw, "the text", format, tokenizer, validation, bytes, 2, SILENT);
    }

    /** All parts tokenized apart, each from a file of its own, and joined. */
    private List<Shard> joined(Path raw, TextParts parts, int shardTokens, Path target) throws Exception {
        List<Split> splits = new ArrayList<>();
        List<Long> tokens = new ArrayList<>();
        List<Path> pieces = new ArrayList<>();
        for (int i = 0; i < parts.parts().size(); i++) {
            TextParts.Part part = parts.parts().get(i);
            Path file = next().resolve("part");
            assertThat(TextParts.copy(raw, part.from(), part.to(), file)).isEqualTo(part.sha256());
            Path piece = next();
            Shard shard = parts.tokens(i, file, piece, 1 + i % 2, SILENT);
            splits.add(part.split());
            tokens.add(shard == null ? 0 : shard.tokens());
            pieces.add(shard == null ? null : piece.resolve(shard.name()));
        }
        List<Shard> shards = new ArrayList<>();
        for (ShardPlan plan : ShardPlan.of(splits, tokens, shardTokens)) {
            List<Path> files = plan.slices().stream()
                    .map(slice -> pieces.get(slice.part()))
                    .toList();
            shards.add(TextParts.join(plan, files, target, SILENT));
        }
        return shards;
    }

    @Test
    void partsTokenizedApartAreTheBytesOfTheWholeWhereverItIsDivided() throws Exception {
        Random random = new Random(5);
        String text = NastyText.of(random, 1500);
        String lines = IntStream.range(0, 80)
                .mapToObj(i -> TokenizationTest.json(NastyText.of(random, random.nextInt(30))))
                .reduce(
                        "\n \n",
                        (all, json) -> all + "{\"text\":" + json + "}\n" + (json.length() % 3 == 0 ? "\n" : ""));
        for (Tokenizer tokenizer : Tokenizer.values()) {
            for (Format format : List.of(Format.TEXT, Format.JSONL)) {
                Path raw = Files.writeString(next().resolve("raw"), format == Format.TEXT ? text : lines);
                for (int shardTokens : new int[] {701, 1_000_000}) {
                    Path whole = next();
                    List<Shard> expected = new Tokenization(raw, format, tokenizer, 0.2, whole, shardTokens, 2)
                            .run(SILENT)
                            .shards();
                    for (int bytes : new int[] {300, 1777, 1_000_000}) {
                        TextParts parts = parts(raw, format, tokenizer, 0.2, bytes);
                        assertThat(parts.parts()).hasSizeGreaterThan(bytes == 300 ? 10 : 1);
                        Path target = next();
                        assertThat(joined(raw, parts, shardTokens, target))
                                .as("%s %s %d %d", tokenizer, format, shardTokens, bytes)
                                .isEqualTo(expected);
                        for (Shard shard : expected) {
                            assertThat(target.resolve(shard.name()))
                                    .hasSameBinaryContentAs(whole.resolve(shard.name()));
                        }
                    }
                }
            }
        }
    }

    @Test
    void aFaultInAPartIsToldByItsPlaceInTheWhole() throws Exception {
        String line = "{\"text\": \"some words\"}\n";
        Path raw = Files.writeString(folder.resolve("raw"), line.repeat(41) + "{\"text\": 5}\n" + line.repeat(20));
        TextParts parts = parts(raw, Format.JSONL, Tokenizer.GPT2, 0.1, 200);
        assertThatThrownBy(() -> joined(raw, parts, 1000, next()))
                .isInstanceOf(BadDataException.class)
                .hasMessageStartingWith("the text: line 42: ");
    }

    @Test
    void aLineThatIsTooLongIsRefusedBeforeAnythingIsTokenized() throws Exception {
        Path raw = Files.writeString(
                folder.resolve("raw"),
                "{\"text\": \"a\"}\n".repeat(3) + "x".repeat(50 << 20) + "\n{\"text\": \"a\"}\n");
        assertThatThrownBy(() -> parts(raw, Format.JSONL, Tokenizer.GPT2, 0.1, 20 << 20))
                .isInstanceOf(BadDataException.class)
                .hasMessageStartingWith("the text: line 4: the line has more than 16777216 bytes");
    }

    @Test
    void digestsAreThoseOfTheParts() throws Exception {
        Path raw = Files.writeString(folder.resolve("raw"), NastyText.of(new Random(6), 500));
        byte[] bytes = Files.readAllBytes(raw);
        long at = 0;
        for (TextParts.Part part :
                parts(raw, Format.TEXT, Tokenizer.GPT2, 0.3, 400).parts()) {
            assertThat(part.from()).isEqualTo(at);
            at = part.to();
            assertThat(part.sha256())
                    .isEqualTo(Sha256.of(java.util.Arrays.copyOfRange(bytes, (int) part.from(), (int) at)));
        }
        assertThat(at).isEqualTo(bytes.length);
    }
}
