package pacer.trainer.text;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.ShardWriter;
import pacer.trainer.data.Split;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.DatasetSpec.Format;
import pacer.trainer.text.Tokenization.Phase;
import pacer.trainer.text.Tokenization.ProgressListener;
import pacer.trainer.text.Tokenization.Shard;

/**
 * A text divided so that its parts can be tokenized apart, on several machines: a part ends where tokens are certain to end, so the tokens of
 * all parts in their order are those that {@link Tokenization} makes of the whole, wherever it is divided.
 *
 * @param name of the text, for people
 * @param format of the parts: text or JSON lines
 * @param characters the vocabulary of a character tokenizer; otherwise empty
 * @param parts those of training first, in their order
 */
public record TextParts(
        String name, Format format, DatasetSpec.Tokenizer tokenizer, List<String> characters, List<Part> parts) {

    /** Two characters: a place is certain when both before it are there. */
    private static final int DOUBTFUL = 8;

    /**
     * Bytes {@code from} to {@code to} (exclusive) of the text.
     *
     * @param lines of the text before it, where they count
     * @param sha256 of its bytes
     */
    public record Part(Split split, long from, long to, long lines, String sha256) {
        public long bytes() {
            return to - from;
        }
    }

    public TextParts {
        characters = List.copyOf(characters);
        parts = List.copyOf(parts);
    }

    /**
     * Reads {@code raw} twice, to check and count it and for the digests of its parts. Memory is bounded by the number of threads.
     *
     * @param raw text or JSON lines; see {@link #unpack} for Parquet
     * @param name of the text, for people
     * @param partBytes about how long parts are
     * @throws BadDataException as {@link Tokenization#run}
     */
    public static TextParts of(
            Path raw,
            String name,
            Format format,
            DatasetSpec.Tokenizer tokenizer,
            double validationFraction,
            long partBytes,
            int threads,
            ProgressListener listener)
            throws IOException, InterruptedException {
        try (RawFile file = new RawFile(raw, format, new RawFile.Whole(name, 0, 0));
                BlockPipeline pipeline = new BlockPipeline(threads, Tokenization.BLOCK_BYTES)) {
            long all = 2 * file.size();
            TextDivision division = TextDivision.of(
                    file,
                    tokenizer,
                    validationFraction,
                    pipeline,
                    Tokenization.BLOCK_BYTES,
                    bytes -> listener.progress(Phase.SCAN, bytes, all));
            Cut cut = format == Format.JSONL
                    ? Cut.LINE
                    : tokenizer == DatasetSpec.Tokenizer.GPT2 ? Cut.PIECE : Cut.CHARACTER;
            List<Part> parts = new ArrayList<>();
            long lines = 0;
            for (Split split : Split.values()) {
                long from = split == Split.TRAIN ? 0 : division.cut();
                long end = split == Split.TRAIN ? division.cut() : file.size();
                while (from < end) {
                    long to = end(file, cut, partBytes, from, end, lines);
                    Digested digested =
                            digest(file, from, to, bytes -> listener.progress(Phase.SCAN, file.size() + bytes, all));
                    parts.add(new Part(split, from, to, lines, digested.sha256()));
                    lines += format == Format.JSONL ? digested.lines() : 0;
                    from = to;
                }
            }
            if (file.hasChanged()) {
                throw file.changed(null);
            }
            return new TextParts(name, format, tokenizer, division.tokenizer().characters(), parts);
        } catch (ClosedByInterruptException e) {
            Thread.interrupted(); // said by the exception from here on
            throw new InterruptedException("interrupted while reading " + raw);
        }
    }

    /**
     * Rows of a Parquet file to JSON lines, the form in which they are divided.
     *
     * @param listener hears how many rows are written, and of how many
     * @throws BadDataException as {@link Tokenization#run}
     */
    public static void unpack(Path parquet, Path lines, ProgressListener listener) throws IOException {
        RawFile.require(parquet);
        new ParquetText(parquet)
                .toJsonLines(lines, (rows, all) -> listener.progress(Phase.SCAN, rows, Math.max(1, all)));
    }

    /** Where the part that begins at {@code from} ends: at the last place within {@code partBytes}, further on where there is none. */
    private static long end(RawFile file, Cut cut, long partBytes, long from, long end, long lines) throws IOException {
        // what stands before the first places is not looked at, so neither are they
        int look = Math.max(cut.limit(), Tokenization.BLOCK_BYTES) + DOUBTFUL;
        for (long most = from + partBytes; most < end; most += partBytes) {
            long begin = Math.max(from, most - look);
            while (begin > from && Utf8.isContinuation(file.read(begin, begin + 1)[0])) {
                begin--;
            }
            byte[] bytes = file.read(begin, most);
            int last = cut.last(bytes, bytes.length);
            if (last > (begin == from ? 0 : DOUBTFUL)) {
                return begin + last;
            }
            if (begin > from) {
                long before = lines + digest(file, from, begin, _ -> {}).lines();
                throw file.failed(begin, before, new BadTextException(0, cut.tooLong()));
            }
        }
        return end;
    }

    private record Digested(String sha256, long lines) {}

    private static Digested digest(RawFile file, long from, long to, TextScan.Progress progress) throws IOException {
        MessageDigest digest = Sha256.begin();
        long lines = 0;
        for (long at = from; at < to; ) {
            byte[] bytes = file.read(at, Math.min(to, at + Tokenization.BLOCK_BYTES));
            digest.update(bytes);
            for (byte b : bytes) {
                lines += b == '\n' ? 1 : 0;
            }
            at += bytes.length;
            progress.at(at);
        }
        return new Digested(Sha256.hex(digest), lines);
    }

    /**
     * Tokens of the part {@code index}, whose bytes are the file {@code part}, as one shard in {@code folder}: a piece of the dataset's shards.
     *
     * @return null where the part has no tokens, as blank lines have none
     * @throws BadDataException if it is not what the format says
     */
    public Shard tokens(int index, Path part, Path folder, int threads, ProgressListener listener)
            throws IOException, InterruptedException {
        Part which = parts.get(index);
        Tokenizer encoding = Tokenizer.of(tokenizer, characters);
        RawFile.Whole whole = new RawFile.Whole(name, which.from(), which.lines());
        try (RawFile file = new RawFile(part, format, whole);
                BlockPipeline pipeline = new BlockPipeline(threads, Tokenization.BLOCK_BYTES);
                ShardSeries series = new ShardSeries(folder, Integer.MAX_VALUE)) {
            EncodingPass pass = new EncodingPass(
                    file,
                    encoding,
                    pipeline,
                    series,
                    Tokenization.BLOCK_BYTES,
                    bytes -> listener.progress(Phase.TOKENIZE, bytes, file.size()));
            pass.run(which.split(), 0, file.size());
            series.keep();
            return series.shards().isEmpty() ? null : series.shards().getFirst();
        } catch (ClosedByInterruptException e) {
            Thread.interrupted(); // said by the exception from here on
            throw new InterruptedException("interrupted while tokenizing part " + index + " of " + name);
        }
    }

    /**
     * Makes a shard of {@code plan} in {@code folder}.
     *
     * @param pieces the files of its slices' pieces, in their order
     * @param listener hears how many tokens are written
     */
    public static Shard join(ShardPlan plan, List<Path> pieces, Path folder, ProgressListener listener)
            throws IOException {
        Path file = folder.resolve(plan.name());
        try (ShardWriter writer = new ShardWriter(file, Math.toIntExact(plan.tokens()))) {
            for (int i = 0; i < pieces.size(); i++) {
                ShardPlan.Slice slice = plan.slices().get(i);
                try (FileChannel in = FileChannel.open(pieces.get(i), StandardOpenOption.READ)) {
                    HeaderlessTokens.read(in, slice.firstByte(), slice.endByte(), tokens -> {
                        writer.write(tokens.array(), 0, tokens.size());
                        listener.progress(Phase.TOKENIZE, writer.tokens(), plan.tokens());
                    });
                }
            }
            ShardWriter.Written written = writer.finish();
            return new Shard(plan.name(), plan.split(), written.tokens(), written.bytes(), written.sha256());
        }
    }

    /** Copies bytes {@code from} to {@code to} of {@code file} to {@code target}, and says what their digest is. */
    public static String copy(Path file, long from, long to, Path target) throws IOException {
        MessageDigest digest = Sha256.begin();
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ);
                FileChannel out = FileChannel.open(
                        Files.createFile(target), StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer buffer = ByteBuffer.allocate(Tokenization.BLOCK_BYTES);
            for (long at = from; at < to; at += buffer.limit()) {
                buffer.clear().limit((int) Math.min(buffer.capacity(), to - at));
                while (buffer.hasRemaining()) {
                    if (in.read(buffer, at + buffer.position()) < 0) {
                        throw new IOException(file + ": became shorter while it was read");
                    }
                }
                digest.update(buffer.flip().duplicate());
                while (buffer.hasRemaining()) {
                    out.write(buffer);
                }
            }
        }
        return Sha256.hex(digest);
    }
}
