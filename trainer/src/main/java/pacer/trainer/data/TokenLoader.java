package pacer.trainer.data;

import java.lang.foreign.MemorySegment;
import pacer.trainer.spec.TrainSpec;

/**
 * Windows of tokens in a fixed order. Sample {@code i} of a run is the same window on every machine, at every number of
 * ranks and after every resume: the loader has no state but what it was made of, and a checkpoint need only count samples.
 */
public interface TokenLoader {

    /** A loader of the order that a preset names; the seed draws it where it is random. */
    static TokenLoader of(TrainSpec.Loader order, TokenShards shards, long seed) {
        return switch (order) {
            case RANDOM -> new RandomLoader(shards, seed);
            case SEQUENTIAL -> new SequentialLoader(shards);
            case SHUFFLED -> new ShuffledLoader(shards, seed);
        };
    }

    /**
     * Writes window {@code sample} (from 0) of {@code length} tokens and, shifted by one, its targets, as int32 to
     * {@code inputs} and {@code targets} from byte {@code offset} on.
     */
    void window(long sample, int length, MemorySegment inputs, MemorySegment targets, long offset);

    /** Tokens behind this loader. */
    long tokens();
}
