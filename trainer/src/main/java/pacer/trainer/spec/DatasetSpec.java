package pacer.trainer.spec;

import java.util.List;
import java.util.Locale;

/** A text and how it becomes token shards, or shards that are ready. */
public record DatasetSpec(
        @Doc(
                "source: https://…, s3://BUCKET/KEY, file:PATH, or maven:GROUP:ARTIFACT:VERSION!/ENTRY; catalogue:NAME for ready shards")
        String url,

        @Doc(value = "expected SHA-256 of the raw file, 64 hex digits; required for https", standard = "''")
        String sha256,

        @Doc(value = "what the raw file is", standard = "text")
        Format format,

        @Doc(value = "how text becomes tokens", standard = "gpt2")
        Tokenizer tokenizer,

        @Doc(
                value = "the last part of the text, kept for validation; more than 0",
                min = 0,
                max = 0.5,
                standard = "0.1")
        double validationFraction,

        @Doc(
                value = "of a catalogue: how many training shards, from the first; 0 for all",
                min = 0,
                max = 100_000,
                standard = "0",
                later = true)
        int shards,

        @Doc(
                value =
                        "of a catalogue: folders to try before its own homes, https://…/ or file:FOLDER, divided by spaces",
                standard = "''")
        String mirrors) {

    private static final String CATALOGUE = "catalogue:";

    public DatasetSpec {
        sha256 = sha256.toLowerCase(Locale.ROOT);
        mirrors = mirrors == null ? "" : mirrors; // workflows begun before there were any
    }

    /** A text. */
    public DatasetSpec(String url, String sha256, Format format, Tokenizer tokenizer, double validationFraction) {
        this(url, sha256, format, tokenizer, validationFraction, 0, "");
    }

    /** This one from another source. */
    public DatasetSpec withUrl(String other) {
        return new DatasetSpec(other, sha256, format, tokenizer, validationFraction, shards, mirrors);
    }

    /** This one with its raw file pinned. */
    public DatasetSpec withSha256(String digest) {
        return new DatasetSpec(url, digest, format, tokenizer, validationFraction, shards, mirrors);
    }

    /** This one with other folders to try. */
    public DatasetSpec withMirrors(String other) {
        return new DatasetSpec(url, sha256, format, tokenizer, validationFraction, shards, other);
    }

    /** Whether it is ready shards rather than a text. */
    public boolean ready() {
        return url.startsWith(CATALOGUE);
    }

    /** Name of the catalogue that the ready shards are of. */
    public String catalogue() {
        return url.substring(CATALOGUE.length());
    }

    /** The folders to try first, each ending in a slash. */
    public List<String> mirrorList() {
        return Catalogue.split(mirrors);
    }

    /** Formats of a raw file. */
    public enum Format {
        TEXT,
        /** One JSON object a line, its {@code text} field a document. */
        JSONL,
        /** Its column {@code text} holds a document a row. */
        PARQUET
    }

    /** Kinds of tokenizer. */
    public enum Tokenizer {
        /** A token for each distinct character of the text, in code-point order (nanoGPT's shakespeare_char). */
        CHARACTERS,
        /** GPT-2's byte-pair encoding, 50,257 tokens. */
        GPT2
    }
}
