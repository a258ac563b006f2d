package pacer.trainer.ops.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * A few threads that do one thing together and meet again, thousands of times a second. The caller is member 0. Members spin
 * for a moment between tasks and then park: a dispatch costs about 0.1 µs while they spin, where executors cost 8 to 40.
 * Parking soon matters, because spinning collapses on an oversubscribed machine.
 */
public final class Crew implements AutoCloseable {
    private static final int SPINS_BEFORE_PARK = 10_000;
    private static final int SPINS_BEFORE_YIELD = 50_000;
    /** Ints between two members' counters: a counter a cache line, and the next line too for the prefetcher. */
    private static final int PADDING = 32;

    private static final VarHandle ROUND;
    private static final VarHandle COUNTER = MethodHandles.arrayElementVarHandle(int[].class);

    static {
        try {
            ROUND = MethodHandles.lookup().findVarHandle(Crew.class, "round", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** What one member does. */
    @FunctionalInterface
    public interface Task {
        void run(int member);
    }

    private final int size;
    private final Thread[] threads;
    private final int[] done;
    private final int[] parked;
    private final Throwable[] failures; // unchecked ones

    @SuppressWarnings("unused") // through ROUND
    private volatile int round;

    private volatile Task task;
    private volatile boolean closed;

    /** A crew of {@code size} members, the calling thread included. */
    public Crew(int size, String name) {
        this.size = size;
        this.threads = new Thread[size];
        this.done = new int[size * PADDING];
        this.parked = new int[size * PADDING];
        this.failures = new Throwable[size];
        for (int member = 1; member < size; member++) {
            int m = member;
            threads[m] = Thread.ofPlatform().daemon().name(name + "-" + m).start(() -> work(m));
        }
    }

    public int size() {
        return size;
    }

    /** Runs {@code job} once on every member and returns when all are done. Not reentrant. */
    @SuppressWarnings("ThreadPriorityCheck") // yields when a member is late: the machine is oversubscribed then
    public void run(Task job) {
        if (size == 1) {
            job.run(0);
            return;
        }
        task = job;
        int now = round + 1;
        ROUND.setVolatile(this, now);
        for (int m = 1; m < size; m++) {
            if ((int) COUNTER.getVolatile(parked, m * PADDING) == 1) {
                LockSupport.unpark(threads[m]);
            }
        }
        attempt(job, 0);
        for (int m = 1; m < size; m++) {
            int spins = 0;
            while ((int) COUNTER.getAcquire(done, m * PADDING) != now) {
                Thread.onSpinWait();
                if (++spins > SPINS_BEFORE_YIELD) {
                    Thread.yield();
                }
            }
        }
        for (int m = 0; m < size; m++) {
            if (failures[m] != null) {
                Throwable failure = failures[m];
                Arrays.fill(failures, null); // those of other members must not come out of the next run
                rethrow(failure);
            }
        }
    }

    /** Whoever runs the crew tells apart what its tasks threw, memory that is not there above all. */
    private static void rethrow(Throwable failure) {
        switch (failure) {
            case RuntimeException e -> throw e;
            case OutOfMemoryError e -> throw e;
            default -> throw new IllegalStateException("a thread of the crew failed: " + failure, failure);
        }
    }

    /** Splits {@code count} items into one contiguous range a member, in units of {@code unit}. */
    public void forEachRange(long count, int unit, Range work) {
        if (size == 1 || count <= unit) {
            work.run(size - 1, 0, count); // a single unit is the last member's, who need not be woken for it
            return;
        }
        run(m -> {
            long from = bound(count, unit, m);
            long to = bound(count, unit, m + 1);
            if (from < to) {
                work.run(m, from, to);
            }
        });
    }

    /** What one member does with items [from, to). */
    @FunctionalInterface
    public interface Range {
        void run(int member, long from, long to);
    }

    /** First item of member {@code m}'s range. */
    public long bound(long count, int unit, int m) {
        long units = Math.ceilDiv(count, (long) unit);
        return Math.min(count, units * m / size * unit);
    }

    private void attempt(Task job, int member) {
        try {
            job.run(member);
        } catch (RuntimeException | Error e) {
            failures[member] = e;
        }
    }

    private void work(int member) {
        int seen = 0;
        while (true) {
            await(member, seen);
            if (closed) {
                return;
            }
            seen++;
            attempt(task, member);
            COUNTER.setRelease(done, member * PADDING, seen);
        }
    }

    private void await(int member, int seen) {
        int spins = 0;
        while ((int) ROUND.getAcquire(this) == seen) {
            if (++spins < SPINS_BEFORE_PARK) {
                Thread.onSpinWait();
                continue;
            }
            COUNTER.setVolatile(parked, member * PADDING, 1);
            if ((int) ROUND.getVolatile(this) == seen) {
                LockSupport.park(this);
            }
            COUNTER.setVolatile(parked, member * PADDING, 0);
        }
    }

    @Override
    public void close() {
        closed = true;
        ROUND.getAndAdd(this, 1);
        for (int m = 1; m < size; m++) {
            LockSupport.unpark(threads[m]);
        }
    }
}
