package pacer.trainer.spec;

import java.util.Locale;

/** A text and how it becomes token shards. */
public record DatasetSpec(
        @Doc("source: https://…, s3://BUCKET/KEY, file:PATH, or maven:GROUP:ARTIFACT:VERSION!/ENTRY")
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
        double validationFraction) {

    public DatasetSpec {
        sha256 = sha256.toLowerCase(Locale.ROOT);
    }

    /** This one from another source. */
    public DatasetSpec withUrl(String other) {
        return new DatasetSpec(other, sha256, format, tokenizer, validationFraction);
    }

    /** Formats of a raw file. */
    public enum Format {
        TEXT,
        /** One JSON object a line, its {@code text} field a document. */
        JSONL
    }

    /** Kinds of tokenizer. */
    public enum Tokenizer {
        /** A token for each distinct character of the text, in code-point order (nanoGPT's shakespeare_char). */
        CHARACTERS,
        /** GPT-2's byte-pair encoding, 50,257 tokens. */
        GPT2
    }
}
