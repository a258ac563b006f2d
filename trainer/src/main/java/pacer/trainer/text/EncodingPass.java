package pacer.trainer.text;

import java.io.IOException;
import pacer.trainer.data.Split;
import pacer.trainer.spec.DatasetSpec.Format;

/** The second pass over a file: encodes the part of each split and writes its shards. */
final class EncodingPass implements BlockPipeline.Sink<EncodingPass.Encoded> {
    private final RawFile raw;
    private final BlockPipeline pipeline;
    private final ShardSeries series;
    private final int blockBytes;
    private final TextScan.Progress progress;
    private final ThreadLocal<Encoder> encoders;
    private final Cut cut;
    private final int separator;
    private long lines;

    /** Tokens of a block, and its lines. */
    record Encoded(TokenBuffer tokens, int lines) {}

    EncodingPass(
            RawFile raw,
            Tokenizer tokenizer,
            BlockPipeline pipeline,
            ShardSeries series,
            int blockBytes,
            TextScan.Progress progress) {
        this.raw = raw;
        this.pipeline = pipeline;
        this.series = series;
        this.blockBytes = blockBytes;
        this.progress = progress;
        boolean text = raw.format() == Format.TEXT;
        switch (tokenizer) {
            case CharacterTokenizer characters -> {
                this.encoders = ThreadLocal.withInitial(() -> characters::encode);
                this.cut = text ? Cut.CHARACTER : Cut.LINE;
                this.separator = characters.token('\n');
            }
            case Gpt2Tokenizer gpt2 -> {
                this.encoders = ThreadLocal.withInitial(gpt2::encoder);
                this.cut = text ? Cut.PIECE : Cut.LINE;
                this.separator = Gpt2Tokenizer.END_OF_TEXT;
            }
        }
    }

    /** Encodes bytes {@code from} to {@code to} (exclusive) of the file into the shards of a split. */
    void run(Split split, long from, long to) throws IOException, InterruptedException {
        series.begin(split);
        pipeline.run(raw.blocks(from, to, cut, blockBytes), this::encode, this);
        series.end();
    }

    private Encoded encode(Block block) throws IOException {
        Encoder encoder = encoders.get();
        TokenBuffer tokens = new TokenBuffer(block.length() / 3 + 1);
        if (raw.format() == Format.TEXT) {
            encoder.encode(block.bytes(), 0, block.length(), tokens);
            return new Encoded(tokens, 0);
        }
        int read = JsonLines.read(block.bytes(), block.length(), document -> {
            tokens.add(separator);
            encoder.encode(document, 0, document.length, tokens);
        });
        return new Encoded(tokens, read);
    }

    @Override
    public void take(Block block, Encoded encoded) throws IOException {
        series.write(encoded.tokens());
        lines += encoded.lines();
        progress.at(block.end());
    }

    @Override
    public RuntimeException failed(long offset, BadTextException fault) {
        return raw.failed(offset, lines, fault);
    }
}
