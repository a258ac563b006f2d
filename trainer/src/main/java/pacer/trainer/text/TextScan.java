package pacer.trainer.text;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import pacer.trainer.spec.DatasetSpec.Format;

/**
 * The first pass over a file: checks that text is UTF-8, counts characters (of text) or documents (of JSON lines), so
 * that the validation part can be cut off, and gathers the distinct characters where they are the vocabulary.
 */
final class TextScan {
    private final RawFile raw;
    private final boolean characters;
    private final Queue<CharacterSet> sets = new ConcurrentLinkedQueue<>();
    private final List<Counted> blocks = new ArrayList<>();
    private long units;

    /** A block and how many characters or documents it has, and lines. */
    private record Counted(long from, long to, int units, int lines) {}

    private TextScan(RawFile raw, boolean characters) {
        this.raw = raw;
        this.characters = characters;
    }

    /**
     * Reads the whole file.
     *
     * @param characters whether to gather the distinct characters
     */
    static TextScan of(RawFile raw, boolean characters, BlockPipeline pipeline, int blockBytes, Progress progress)
            throws IOException, InterruptedException {
        TextScan scan = new TextScan(raw, characters);
        Cut cut = raw.format() == Format.TEXT ? Cut.CHARACTER : Cut.LINE;
        pipeline.run(raw.blocks(0, raw.size(), cut, blockBytes), scan::count, scan.new Sum(progress));
        return scan;
    }

    /** Reports how far a pass is, in bytes. */
    interface Progress {
        void at(long bytes);
    }

    private final class Sum implements BlockPipeline.Sink<Counted> {
        private final Progress progress;
        private long lines;

        Sum(Progress progress) {
            this.progress = progress;
        }

        @Override
        public void take(Block block, Counted counted) {
            blocks.add(counted);
            units += counted.units();
            lines += counted.lines();
            progress.at(block.end());
        }

        @Override
        public RuntimeException failed(long offset, BadTextException fault) {
            return raw.failed(offset, lines, fault);
        }
    }

    /** Characters of text, or documents. */
    long units() {
        return units;
    }

    /** The distinct characters of the tokens to be, in code point order. */
    int[] characters() {
        CharacterSet all = new CharacterSet();
        sets.forEach(all::addAll);
        if (raw.format() == Format.JSONL) {
            all.add('\n'); // stands before each document
        }
        return all.toArray();
    }

    /** The byte where character or document {@code unit} begins; the end of the file after the last. */
    long offset(long unit) throws IOException {
        long before = 0;
        for (Counted block : blocks) {
            if (unit < before + block.units()) {
                byte[] bytes = raw.read(block.from(), block.to());
                int index = (int) (unit - before);
                return block.from()
                        + switch (raw.format()) {
                            case TEXT -> Utf8.start(bytes, index);
                            case JSONL -> JsonLines.start(bytes, bytes.length, index);
                            case PARQUET -> throw new IllegalStateException("read by way of JSON lines");
                        };
            }
            before += block.units();
        }
        return raw.size();
    }

    private Counted count(Block block) throws IOException {
        CharacterSet set = sets.poll();
        set = set == null ? new CharacterSet() : set;
        try {
            return switch (raw.format()) {
                case TEXT -> countCharacters(block, set);
                case JSONL -> countDocuments(block, set);
                case PARQUET -> throw new IllegalStateException("read by way of JSON lines");
            };
        } finally {
            sets.add(set);
        }
    }

    private Counted countCharacters(Block block, CharacterSet set) {
        byte[] bytes = block.bytes();
        int invalid = Utf8.firstInvalid(bytes, 0, block.length());
        if (invalid < block.length()) {
            throw new BadTextException(
                    invalid, "0x%02X is no UTF-8 there; convert the file to UTF-8".formatted(bytes[invalid]));
        }
        if (characters) {
            set.addAll(bytes, 0, block.length());
        }
        return new Counted(block.offset(), block.end(), Utf8.count(bytes, 0, block.length()), 0);
    }

    private Counted countDocuments(Block block, CharacterSet set) throws IOException {
        byte[] bytes = block.bytes();
        if (characters) {
            JsonLines.read(bytes, block.length(), document -> set.addAll(document, 0, document.length));
        }
        int documents = JsonLines.count(bytes, block.length());
        return new Counted(block.offset(), block.end(), documents, JsonLines.lines(bytes, block.length()));
    }
}
