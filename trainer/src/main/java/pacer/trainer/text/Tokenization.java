package pacer.trainer.text;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.ShardWriter;
import pacer.trainer.data.Split;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.DatasetSpec.Format;

/**
 * Turns a text of any size into token shards: the first part of the text into {@code train-000000.bin} and so on, the
 * last {@code validationFraction} of it into {@code val-000000.bin} and so on. The cut is made as nanoGPT makes it:
 * text after {@code floor(characters × (1 - validationFraction))} characters, JSON lines after as many documents.
 * Both parts are then encoded apart.
 *
 * <p>The file is read twice: to check and count it, then to encode it, block by block in {@code threads} threads.
 * Memory is bounded by the number of threads, not by the size of the file, and the bytes of the shards depend on
 * neither threads nor blocks, because text is divided only where tokens are certain to end.
 *
 * <p>Text must be UTF-8 and is taken byte for byte: no line ends are changed, no byte order mark is removed. Anything
 * that is not UTF-8 is refused rather than replaced. In JSON lines, blank lines are passed over, and a separator
 * stands before each document: {@code <|endoftext|>} for GPT-2, a line feed for characters. Rows of Parquet are as such lines.
 *
 * @param raw a file of UTF-8
 * @param format what is in it
 * @param tokenizer how text becomes tokens
 * @param validationFraction the part of the text kept for validation, in [0, 1)
 * @param folder where the shards go; made if it is missing
 * @param shardTokens tokens of a shard; the last of a split has what is left
 * @param threads threads that encode
 */
public record Tokenization(
        Path raw,
        Format format,
        DatasetSpec.Tokenizer tokenizer,
        double validationFraction,
        Path folder,
        int shardTokens,
        int threads) {

    /** Tokens of a shard as llm.c and modded-nanogpt have them. */
    public static final int SHARD_TOKENS = 100_000_000;

    static final int BLOCK_BYTES = 1 << 20;

    /**
     * A finished shard: name in the folder, number of tokens, size in bytes, and SHA-256 of the file in hexadecimal.
     */
    public record Shard(String name, Split split, long tokens, long bytes, String sha256) {}

    /**
     * What came of it.
     *
     * @param shards those of training first, each split in order
     * @param vocabularySize number of tokens of the tokenizer
     * @param characters the vocabulary of a character tokenizer, see {@link Tokenizer#characters}; otherwise empty
     * @param units characters of the text, or documents of JSON lines
     */
    public record Result(List<Shard> shards, int vocabularySize, List<String> characters, long units) {
        /** Tokens of a split. */
        public long tokens(Split split) {
            return shards.stream()
                    .filter(shard -> shard.split() == split)
                    .mapToLong(Shard::tokens)
                    .sum();
        }
    }

    /** The two passes over the file. */
    public enum Phase {
        SCAN,
        TOKENIZE
    }

    /** Hears, in the thread that runs the tokenization, how far it is; what it throws ends the tokenization. */
    @FunctionalInterface
    public interface ProgressListener {
        void progress(Phase phase, long doneBytes, long totalBytes);
    }

    public Tokenization {
        if (!(validationFraction >= 0 && validationFraction < 1)) {
            throw new IllegalArgumentException("validationFraction " + validationFraction + " is not in [0, 1)");
        }
        if (shardTokens < 1 || threads < 1) {
            throw new IllegalArgumentException(
                    "shardTokens %d and threads %d must be positive".formatted(shardTokens, threads));
        }
    }

    /**
     * Does it. When it fails, no shard stays.
     *
     * @throws BadDataException if the file is missing, empty, not what {@code format} says, too short to be divided,
     *     or changed meanwhile
     * @throws IOException if reading or writing fails
     * @throws InterruptedException if the thread is interrupted
     */
    public Result run(ProgressListener listener) throws IOException, InterruptedException {
        return run(listener, BLOCK_BYTES);
    }

    Result run(ProgressListener listener, int blockBytes) throws IOException, InterruptedException {
        return format == Format.PARQUET ? runParquet(listener, blockBytes) : runText(listener, blockBytes);
    }

    /** By way of JSON lines, which take the place of its compressed columns for a while. */
    private Result runParquet(ProgressListener listener, int blockBytes) throws IOException, InterruptedException {
        RawFile.require(raw);
        Files.createDirectories(folder);
        Path lines = folder.resolve("documents.jsonl");
        try {
            new ParquetText(raw)
                    .toJsonLines(lines, (rows, all) -> listener.progress(Phase.SCAN, rows, 2 * Math.max(1, all)));
            Tokenization documents =
                    new Tokenization(lines, Format.JSONL, tokenizer, validationFraction, folder, shardTokens, threads);
            return documents.runText(
                    (phase, done, all) -> {
                        boolean scan = phase == Phase.SCAN;
                        listener.progress(phase, scan ? all + done : done, scan ? 2 * all : all);
                    },
                    blockBytes);
        } catch (BadDataException e) {
            String text =
                    e.getMessage().replace(lines + ": line ", raw + ": row ").replace(lines.toString(), raw.toString());
            throw text.equals(e.getMessage()) ? e : new BadDataException(text, e);
        } finally {
            Files.deleteIfExists(lines);
        }
    }

    private Result runText(ProgressListener listener, int blockBytes) throws IOException, InterruptedException {
        try (RawFile file = new RawFile(raw, format)) {
            Files.createDirectories(folder);
            ShardWriter.sweep(folder);
            try (BlockPipeline pipeline = new BlockPipeline(threads, blockBytes);
                    ShardSeries series = new ShardSeries(folder, shardTokens)) {
                Result result = run(file, pipeline, series, listener, blockBytes);
                if (file.hasChanged()) {
                    throw file.changed(null);
                }
                series.keep();
                return result;
            } catch (ClosedByInterruptException e) {
                Thread.interrupted(); // said by the exception from here on
                throw new InterruptedException("interrupted while tokenizing " + raw);
            } catch (RuntimeException e) {
                // a file that changes between the passes is read as nonsense: name the cause, not its effect
                throw file.hasChanged() ? file.changed(e) : e;
            }
        }
    }

    private Result run(
            RawFile file, BlockPipeline pipeline, ShardSeries series, ProgressListener listener, int blockBytes)
            throws IOException, InterruptedException {
        TextDivision division = TextDivision.of(
                file,
                tokenizer,
                validationFraction,
                pipeline,
                blockBytes,
                bytes -> listener.progress(Phase.SCAN, bytes, file.size()));
        Tokenizer encoding = division.tokenizer();
        EncodingPass pass = new EncodingPass(
                file,
                encoding,
                pipeline,
                series,
                blockBytes,
                bytes -> listener.progress(Phase.TOKENIZE, bytes, file.size()));
        pass.run(Split.TRAIN, 0, division.cut());
        pass.run(Split.VALIDATION, division.cut(), file.size());
        return new Result(series.shards(), encoding.vocabularySize(), encoding.characters(), division.units());
    }
}
