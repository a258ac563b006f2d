package pacer.trainer.data;

import java.lang.foreign.MemorySegment;

/**
 * Windows of tokens in a fixed order. Sample {@code i} of a run is the same window on every machine, at every number of
 * ranks and after every resume: the loader has no state but what it was made of, and a checkpoint need only count samples.
 */
public interface TokenLoader {

    /**
     * Writes window {@code sample} (from 0) of {@code length} tokens and, shifted by one, its targets, as int32 to
     * {@code inputs} and {@code targets} from byte {@code offset} on.
     */
    void window(long sample, int length, MemorySegment inputs, MemorySegment targets, long offset);

    /** Tokens behind this loader. */
    long tokens();
}
