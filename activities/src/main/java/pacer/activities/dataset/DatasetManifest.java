package pacer.activities.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import pacer.activities.run.DurableFiles;
import pacer.activities.run.RunJson;
import pacer.trainer.data.Split;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.Tokenization;

/**
 * {@code manifest.json} of a dataset's folder, written last: what has none is no dataset.
 *
 * @param source {@code dataset.url} that it was first made from
 * @param sha256 of the raw file
 * @param bytes size of the raw file
 * @param vocabulary number of tokens
 * @param characters the vocabulary of a character tokenizer, in the order of tokens; otherwise empty
 */
public record DatasetManifest(
        String source,
        String sha256,
        long bytes,
        DatasetSpec.Format format,
        DatasetSpec.Tokenizer tokenizer,
        int vocabulary,
        List<String> characters,
        double validationFraction,
        List<Tokenization.Shard> shards) {

    public static final String NAME = "manifest.json";

    public DatasetManifest {
        characters = characters == null ? List.of() : List.copyOf(characters);
        shards = List.copyOf(shards);
    }

    /**
     * The manifest in {@code folder}.
     *
     * @throws IOException naming the file, when it is not there or none
     */
    public static DatasetManifest read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        try {
            return RunJson.MAPPER.readValue(Files.readAllBytes(file), DatasetManifest.class);
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": no dataset manifest: " + e.getOriginalMessage(), e);
        }
    }

    /** The manifest in {@code folder}, if it is a dataset. */
    public static Optional<DatasetManifest> find(Path folder) throws IOException {
        return Files.exists(folder.resolve(NAME)) ? Optional.of(read(folder)) : Optional.empty();
    }

    /** Makes {@code folder} a dataset. */
    public void write(Path folder) throws IOException {
        DurableFiles.write(
                folder.resolve(NAME),
                RunJson.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(this));
    }

    /** Tokens of a split. */
    public long tokens(Split split) {
        return shards.stream()
                .filter(shard -> shard.split() == split)
                .mapToLong(Tokenization.Shard::tokens)
                .sum();
    }
}
