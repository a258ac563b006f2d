package pacer.trainer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The shards of one split, in order, behind the loaders. A window of tokens lies in one shard, as in llm.c; the few
 * tokens at a shard's end that fill no window are left out of that pass.
 */
public final class TokenShards implements AutoCloseable {
    private final List<TokenShard> shards = new ArrayList<>();
    private final int vocabulary;

    private TokenShards(int vocabulary) {
        this.vocabulary = vocabulary;
    }

    /**
     * Opens shards with header.
     *
     * @param files in the order in which their tokens follow each other, as a dataset's manifest lists them
     * @param vocabulary number of tokens of the model; a greater token is refused when a window holds it
     * @throws BadDataException if there is no file, or one is no whole shard
     */
    public static TokenShards open(List<Path> files, int vocabulary) {
        return open(files, vocabulary, true);
    }

    /** Opens files of nanoGPT, which are tokens and nothing else; otherwise as {@link #open}. */
    public static TokenShards openHeaderless(List<Path> files, int vocabulary) {
        return open(files, vocabulary, false);
    }

    /**
     * Opens the shards of a split that lie in a folder without a manifest. {@code train-000000.bin} (pacer), {@code
     * fineweb_train_000001.bin} (llm.c, modded-nanogpt) and {@code tiny_shakespeare_train.bin} (llm.c) have a header,
     * in the order of their names; without such, {@code train.bin} is a headerless file of nanoGPT. The other split's
     * names have {@code val} for {@code train}.
     */
    public static TokenShards inFolder(Path folder, Split split, int vocabulary) {
        String name = split.prefix();
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> found =
                Files.newDirectoryStream(folder, "{%1$s-*,*_%1$s_*,*_%1$s}.bin".formatted(name))) {
            found.forEach(files::add);
        } catch (NoSuchFileException | NotDirectoryException e) {
            throw new BadDataException(folder + ": no such folder; token shards are expected there", e);
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": " + e.getMessage(), e);
        }
        files.sort(null);
        Path headerless = folder.resolve(name + ".bin");
        if (files.isEmpty() && Files.exists(headerless)) {
            return openHeaderless(List.of(headerless), vocabulary);
        }
        if (files.isEmpty()) {
            throw new BadDataException(
                    "%s: no token shards %s-*.bin, *_%s_*.bin, nor %s.bin of nanoGPT; prepare the dataset first"
                            .formatted(folder, name, name, name));
        }
        return open(files, vocabulary);
    }

    private static TokenShards open(List<Path> files, int vocabulary, boolean header) {
        if (files.isEmpty()) {
            throw new BadDataException("an empty list of token shards; training needs at least one");
        }
        TokenShards all = new TokenShards(vocabulary);
        try {
            for (Path file : files) {
                all.shards.add(header ? TokenShard.open(file) : TokenShard.openHeaderless(file));
            }
            return all;
        } catch (RuntimeException e) {
            all.close();
            throw e;
        }
    }

    /** Tokens of all shards. */
    public long tokens() {
        return shards.stream().mapToLong(TokenShard::tokens).sum();
    }

    /**
     * Refuses shards of which none holds a window, before the first step asks for one.
     *
     * @param length tokens of a window; its targets reach one token further
     * @throws BadDataException if no shard has length + 1 tokens
     */
    public void requireWindow(int length) {
        TokenShard longest = shards.getFirst();
        for (TokenShard shard : shards) {
            longest = shard.tokens() > longest.tokens() ? shard : longest;
        }
        if (longest.tokens() <= length) {
            throw new BadDataException(
                    ("%s: %d tokens, and no other shard has more: a window of %d with its targets takes %d; "
                                    + "shorten model.sequenceLength, or bring more text")
                            .formatted(longest.file(), longest.tokens(), length, length + 1));
        }
    }

    int count() {
        return shards.size();
    }

    TokenShard shard(int index) {
        return shards.get(index);
    }

    int vocabulary() {
        return vocabulary;
    }

    @Override
    public void close() {
        shards.forEach(TokenShard::close);
    }
}
