package pacer.activities.run;

/**
 * The machine and the code that a run was made with.
 *
 * @param commit git commit of pacer's source; null outside of a git checkout
 * @param dirty whether that checkout had uncommitted changes
 */
public record Environment(
        String host,
        String cpu,
        int cores,
        long memoryBytes,
        String os,
        String jvm,
        String pacer,
        String commit,
        boolean dirty) {}
