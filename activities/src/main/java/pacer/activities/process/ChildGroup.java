package pacer.activities.process;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import pacer.activities.run.StageContext;

/** Processes that work together, the ranks of a training for one: they end together. */
public final class ChildGroup {
    private static final long TICK_MILLIS = 100;

    private final List<Child> ranks;
    private final Duration grace;
    private final Queue<Integer> failed = new ConcurrentLinkedQueue<>();

    public ChildGroup(List<Child> ranks, Duration grace) {
        this.ranks = List.copyOf(ranks);
        this.grace = grace;
        for (int rank = 0; rank < ranks.size(); rank++) {
            int which = rank;
            ranks.get(rank).onExit(code -> {
                if (code != 0) {
                    failed.add(which);
                }
            });
        }
    }

    /**
     * How the group ended.
     *
     * @param rank the one that ended it: the first that failed, else rank 0
     * @param code its exit code
     * @param hung whether the group was killed because nothing was heard of it
     * @param unfit why the host must not compute any more, for which it was killed; null where it was not
     */
    public record End(int rank, int code, boolean hung, String unfit) {}

    /**
     * Waits for all ranks to end, their output read. A rank that fails ends the others; a stop ends all, asked first (so that
     * they write a checkpoint), killed after the grace period; {@code hung} has them killed at once, and so has a host that is unfit: what such a
     * GPU would put into a checkpoint nobody knows.
     */
    public End await(StageContext context, BooleanSupplier hung) throws InterruptedException {
        boolean asked = false;
        boolean wasHung = false;
        String unfit = null;
        long askedAt = 0;
        try {
            while (ranks.stream().anyMatch(Child::isAlive)) {
                StageContext.Stop stop = context.stop();
                if (!asked && (stop != StageContext.Stop.NONE || !failed.isEmpty())) {
                    asked = true;
                    askedAt = System.nanoTime();
                    ranks.forEach(Child::terminate);
                }
                wasHung |= !asked && hung.getAsBoolean();
                if (unfit == null) {
                    unfit = context.unfit().orElse(null);
                }
                // an abandoned attempt is fenced off: a checkpoint of it would not be taken
                boolean patient = !wasHung && unfit == null && stop != StageContext.Stop.ABANDONED;
                if (!patient || (asked && System.nanoTime() - askedAt > grace.toNanos())) {
                    ranks.forEach(Child::kill);
                }
                awaitAny();
            }
            for (Child rank : ranks) {
                rank.awaitOutput();
            }
            int first = firstFailed();
            return new End(first, ranks.get(first).exitValue(), wasHung, unfit);
        } finally {
            ranks.forEach(Child::kill);
        }
    }

    /** The rank that is known to have failed first; what is heard of an exit may come a little after it. */
    private int firstFailed() {
        Integer heard = failed.peek();
        if (heard != null) {
            return heard;
        }
        for (int rank = 0; rank < ranks.size(); rank++) {
            if (ranks.get(rank).exitValue() != 0) {
                return rank;
            }
        }
        return 0;
    }

    private void awaitAny() throws InterruptedException {
        for (Child rank : ranks) {
            if (rank.isAlive()) {
                rank.waitFor(Duration.ofMillis(TICK_MILLIS));
                return;
            }
        }
    }
}
