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
                        "homes to try before its own, divided by spaces: of a catalogue folders, https://…/ or file:FOLDER; of an https file its other addresses, or folders https://…/ that have one of its name",
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

    /** The homes to try first; of a catalogue folders, each ending in a slash. */
    public List<String> mirrorList() {
        if (ready()) {
            return Catalogue.split(mirrors);
        }
        return mirrors.isBlank() ? List.of() : List.of(mirrors.strip().split("\\s+"));
    }

    /** Addresses of the raw file to try first: where a folder is named, that of its file of the same name. */
    public List<String> mirrorFiles() {
        String path = url.replaceFirst("[?#].*$", "");
        String name = path.substring(path.lastIndexOf('/') + 1);
        return mirrorList().stream()
                .map(mirror -> mirror.endsWith("/") ? mirror + name : mirror)
                .toList();
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
