package pacer.trainer.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.EnumFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.Split;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;

/**
 * {@code manifest.json} of a dataset's folder, written last: what has none is no dataset.
 *
 * @param source {@code dataset.url} that it was first made from
 * @param sha256 of the raw file
 * @param bytes size of the raw file
 * @param format what the raw file was; null where the shards were ready
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

    private static final Pattern SHARD = Pattern.compile("[a-z]+-\\d+\\.bin");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    public DatasetManifest {
        characters = characters == null ? List.of() : List.copyOf(characters);
        shards = List.copyOf(shards);
    }

    /**
     * The manifest in {@code folder}.
     *
     * @throws BadDataException naming the file, when it is not there or none
     */
    public static DatasetManifest read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        try {
            return parse(Files.readAllBytes(file), file.toString());
        } catch (NoSuchFileException e) {
            throw new BadDataException(file + ": does not exist; " + folder + " is no prepared dataset", e);
        }
    }

    /**
     * The manifest of which {@code json} is the text.
     *
     * @param place where it comes from
     * @throws BadDataException naming the place, when it is none
     */
    public static DatasetManifest parse(byte[] json, String place) throws IOException {
        DatasetManifest manifest;
        try {
            manifest = JSON.readValue(json, DatasetManifest.class);
        } catch (JsonProcessingException e) {
            throw new BadDataException(place + ": no dataset manifest: " + e.getOriginalMessage(), e);
        }
        for (Tokenization.Shard shard : manifest.shards()) {
            // they become names of files
            if (!SHARD.matcher(String.valueOf(shard.name())).matches()
                    || !SHA256.matcher(String.valueOf(shard.sha256())).matches()) {
                throw new BadDataException(place + ": no dataset manifest: a shard is named " + shard.name()
                        + " of SHA-256 " + shard.sha256() + ", must be a plain name and 64 hex digits");
            }
        }
        return manifest;
    }

    /** The text of the file. */
    public byte[] toJson() throws IOException {
        return JSON.writeValueAsBytes(this);
    }

    /** Tokens of a split. */
    public long tokens(Split split) {
        return shards.stream()
                .filter(shard -> shard.split() == split)
                .mapToLong(Tokenization.Shard::tokens)
                .sum();
    }

    /**
     * What a validation loss on it is of: SHA-256 over the digests of its validation shards and its vocabulary. Losses on other data say
     * nothing beside it; other training data do not change it.
     */
    public String validationIdentity() {
        StringBuilder text = new StringBuilder();
        for (Tokenization.Shard shard : shards) {
            if (shard.split() == Split.VALIDATION) {
                text.append(shard.sha256()).append('\n');
            }
        }
        text.append(tokenizer).append(' ').append(vocabulary).append('\n').append(String.join("", characters));
        return Sha256.of(text.toString());
    }

    /**
     * What tells it from every other dataset that a training could be given: SHA-256 over its shards' names and digests and its
     * vocabulary. Where the text came from does not count.
     */
    public String identity() {
        StringBuilder text = new StringBuilder();
        for (Tokenization.Shard shard : shards) {
            text.append(shard.name()).append(' ').append(shard.sha256()).append('\n');
        }
        text.append(tokenizer).append(' ').append(vocabulary).append('\n').append(String.join("", characters));
        return Sha256.of(text.toString());
    }

    /** The tokenizer that made it. */
    public Tokenizer tokens() {
        return Tokenizer.of(tokenizer, characters);
    }

    /** Files of a split, in order. */
    public List<Path> files(Path folder, Split split) {
        return shards.stream()
                .filter(shard -> shard.split() == split)
                .map(shard -> folder.resolve(shard.name()))
                .toList();
    }
}
