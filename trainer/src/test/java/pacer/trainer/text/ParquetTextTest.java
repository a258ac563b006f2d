package pacer.trainer.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.data.BadDataException;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.DatasetSpec.Format;

/** Files that pyarrow wrote: rows in several row groups, with and without dictionary, other columns beside the text. */
@Timeout(60)
class ParquetTextTest {
    @TempDir
    private Path folder;

    private static Path file(String name) throws URISyntaxException {
        return Path.of(ParquetTextTest.class.getResource(name).toURI());
    }

    private Tokenization.Result tokenize(Path raw, Format format, DatasetSpec.Tokenizer tokenizer, String into)
            throws IOException, InterruptedException {
        return new Tokenization(raw, format, tokenizer, 0.25, folder.resolve(into), 500, 2).run((p, d, t) -> {});
    }

    @ParameterizedTest
    @ValueSource(strings = {"zstd", "snappy", "gzip", "none"})
    void rowsBecomeTheTokensOfTheSameDocumentsInJsonLines(String codec) throws Exception {
        for (DatasetSpec.Tokenizer tokenizer : DatasetSpec.Tokenizer.values()) {
            var lines = tokenize(file("documents.jsonl"), Format.JSONL, tokenizer, "lines-" + tokenizer);
            var rows =
                    tokenize(file("documents-" + codec + ".parquet"), Format.PARQUET, tokenizer, "rows-" + tokenizer);
            assertThat(rows).isEqualTo(lines);
            assertThat(rows.units()).isEqualTo(44);
            assertThat(folder.resolve("rows-" + tokenizer).resolve("documents.jsonl"))
                    .doesNotExist();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "null.parquet | : row 2: has no text; leave such rows out",
                "no-text.parquet | : has no column \"text\" of strings; it has [body, meta.text, n]",
                "numbers.parquet | : has no column \"text\" of strings; it has [text]",
                "binary.parquet | : row 2: byte 0 of the text, 0xFF, is no UTF-8",
            })
    void whatHasNoTextIsRefusedWithFileAndRow(String name, String fault) throws Exception {
        Path file = file(name);
        assertThatThrownBy(() -> tokenize(file, Format.PARQUET, DatasetSpec.Tokenizer.GPT2, "out"))
                .isInstanceOf(BadDataException.class)
                .hasMessage(file + fault);
        assertThat(folder.resolve("out")).isEmptyDirectory();
    }

    @Test
    void aFileCutShortAnywhereIsRefused() throws Exception {
        byte[] whole = Files.readAllBytes(file("documents-zstd.parquet"));
        for (int length = 1; length < whole.length; length += 97) {
            Path cut = Files.write(folder.resolve("cut.parquet"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> tokenize(cut, Format.PARQUET, DatasetSpec.Tokenizer.GPT2, "out"))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageStartingWith(cut + ": ");
        }
    }

    @Test
    void aTextIsNoParquet() throws Exception {
        Path text = file("documents.jsonl");
        assertThatThrownBy(() -> tokenize(text, Format.PARQUET, DatasetSpec.Tokenizer.GPT2, "out"))
                .isInstanceOf(BadDataException.class)
                .hasMessageStartingWith(text + ": cannot be read as Parquet: ")
                .hasMessageEndingWith("see dataset.format");
    }

    @Test
    void whatStopsTheListenerEndsIt() throws Exception {
        Path file = file("documents-zstd.parquet");
        Tokenization tokenization =
                new Tokenization(file, Format.PARQUET, DatasetSpec.Tokenizer.GPT2, 0.25, folder, 500, 2);
        assertThatThrownBy(() -> tokenization.run((phase, done, all) -> {
                    assertThat(done).isBetween(0L, all);
                    throw new IllegalStateException("enough");
                }))
                .hasMessage("enough");
        assertThat(folder).isEmptyDirectory();
    }
}
