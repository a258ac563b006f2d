package pacer.trainer.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import pacer.trainer.durable.Sha256;

/**
 * Ready token shards that somebody published: which files there are, where, and what is known of them.
 *
 * @param known SHA-256 by file name, as far as they are known
 */
public record Catalogue(Facts facts, Map<String, String> known) {

    public Catalogue {
        known = Map.copyOf(known);
    }

    /** What a catalogue's YAML says. A number that is not known is 0. */
    public record Facts(
            @Doc("what dataset.url calls it") String name,

            @Doc("one line for people") String description,

            @Doc("folders that have its files, by spaces; tried in order")
            String homes,

            @Doc("what it may be used for, as far as that is known")
            String license,

            @Doc(value = "which of these facts nobody has looked after", standard = "''")
            String unverified,

            @Doc("how its text became tokens") DatasetSpec.Tokenizer tokenizer,
            @Doc("what the files are") Format format,

            @Doc("name of a training file; %06d for its number")
            String trainFile,

            @Doc(value = "number of the first one", min = 0) int firstTrainFile,

            @Doc(value = "training shards", min = 1, max = 100_000)
            int trainShards,

            @Doc(value = "tokens of a training shard but the last", min = 0)
            int shardTokens,

            @Doc(value = "tokens of the last one", min = 0) int lastShardTokens,

            @Doc("name of the validation file") String validationFile,

            @Doc(value = "tokens of it", min = 0) int validationTokens) {}

    /** What the files are. */
    public enum Format {
        /** Each file is a shard with header, as llm.c and modded-nanogpt write them. */
        SHARDS,
        /** One file a split that is tokens and nothing else, as nanoGPT writes them; pacer cuts it into shards. */
        HEADERLESS
    }

    /**
     * A file of it.
     *
     * @param validation whether its tokens are for validation
     * @param tokens how many it has; 0 where that is not known
     * @param sha256 its digest, where that is known
     */
    public record File(String name, boolean validation, long tokens, Optional<String> sha256) {}

    public String name() {
        return facts.name();
    }

    /** Folders that have its files, to be tried in order; each ends in a slash. */
    public List<String> homes() {
        return split(facts.homes());
    }

    /** Folders named in one line; each ends in a slash. */
    static List<String> split(String homes) {
        return homes.isBlank()
                ? List.of()
                : List.of(homes.strip().split("\\s+")).stream()
                        .map(home -> home.endsWith("/") ? home : home + "/")
                        .toList();
    }

    /**
     * The files that hold the first {@code shards} training shards, in order, and last the one for validation.
     *
     * @param shards 0 for all
     */
    public List<File> files(int shards) {
        List<File> files = new ArrayList<>();
        if (facts.format() == Format.HEADERLESS) {
            boolean countable = facts.shardTokens() > 0 && facts.lastShardTokens() > 0;
            long tokens = (facts.trainShards() - 1L) * facts.shardTokens() + facts.lastShardTokens();
            files.add(file(facts.trainFile(), false, countable ? tokens : 0));
        } else {
            int count = shards == 0 ? facts.trainShards() : shards;
            for (int i = 0; i < count; i++) {
                String name = String.format(Locale.ROOT, facts.trainFile(), facts.firstTrainFile() + i);
                boolean last = i == facts.trainShards() - 1;
                files.add(file(name, false, last ? facts.lastShardTokens() : facts.shardTokens()));
            }
        }
        files.add(file(facts.validationFile(), true, facts.validationTokens()));
        return List.copyOf(files);
    }

    private File file(String name, boolean validation, long tokens) {
        return new File(name, validation, tokens, Optional.ofNullable(known.get(name)));
    }

    /** What tells its first {@code shards} training shards from every other dataset; where the files lie does not count. */
    public String identity(int shards) {
        StringBuilder text = new StringBuilder(name() + ' ' + facts.format() + ' ' + facts.tokenizer() + '\n');
        for (File file : files(shards)) {
            text.append(file.name()).append(' ').append(file.tokens()).append('\n');
        }
        int all = facts.trainShards();
        return Sha256.of(text.append(shards == 0 ? all : Math.min(shards, all))
                .append('\n')
                .toString());
    }
}
