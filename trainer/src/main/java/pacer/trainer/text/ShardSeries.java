package pacer.trainer.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.data.ShardWriter;
import pacer.trainer.data.Split;
import pacer.trainer.text.Tokenization.Shard;

/**
 * The shards of a dataset as they are written: each full before the next begins, the last of a split with what is
 * left.
 */
final class ShardSeries implements AutoCloseable {
    private final Path folder;
    private final int shardTokens;
    private final List<Shard> shards = new ArrayList<>();
    private Split split;
    private int index; // of the open shard in its split
    private ShardWriter writer;
    private boolean kept;

    ShardSeries(Path folder, int shardTokens) {
        this.folder = folder;
        this.shardTokens = shardTokens;
    }

    /** Goes on with the first shard of a split. */
    void begin(Split split) {
        this.split = split;
        this.index = 0;
    }

    void write(TokenBuffer tokens) throws IOException {
        for (int from = 0; from < tokens.size(); ) {
            if (writer == null) {
                writer = new ShardWriter(folder.resolve(split.shardName(index)), shardTokens);
            }
            int to = (int) Math.min(tokens.size(), from + (shardTokens - writer.tokens()));
            writer.write(tokens.array(), from, to);
            from = to;
            if (writer.tokens() == shardTokens) {
                finishShard();
            }
        }
    }

    /** Finishes the split's last shard. */
    void end() throws IOException {
        if (writer != null) {
            finishShard();
        }
    }

    /** The finished shards, in the order in which they were written. */
    List<Shard> shards() {
        return List.copyOf(shards);
    }

    /** From now on closing the series leaves its shards. */
    void keep() {
        kept = true;
    }

    private void finishShard() throws IOException {
        ShardWriter.Written written = writer.finish();
        writer = null;
        shards.add(new Shard(split.shardName(index), split, written.tokens(), written.bytes(), written.sha256()));
        index++;
    }

    /** Unless kept, deletes what was written. */
    @Override
    public void close() throws IOException {
        if (kept) {
            return;
        }
        if (writer != null) {
            writer.close();
        }
        for (Shard shard : shards) {
            Files.deleteIfExists(folder.resolve(shard.name()));
        }
    }
}
