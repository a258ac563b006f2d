package pacer.activities.store;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunFolder;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;

/**
 * Keeps the checkpoints of the store like those of the run's folder, on a thread beside the training: what is new there is stored, the newest
 * first; what retention has deleted there is deleted. A store that does not answer costs no training: it is said once, and made up for when
 * it answers again.
 */
public final class CheckpointUploads implements AutoCloseable {
    /** How long one that is told to stop may take for its last checkpoint. */
    private static final Duration LAST_GRACE = Duration.ofSeconds(30);

    /** Before the last checkpoint is tried again. */
    private static final List<Duration> LAST_PAUSES =
            List.of(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(4));

    private static final long TICK_MILLIS = 100;

    private final Store store;
    private final RunFolder folder;
    private final long epoch;
    private final StageContext context;
    private final String owner = UUID.randomUUID().toString();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final AtomicReference<Progress> progress = new AtomicReference<>();
    private final Thread thread;
    private long wanted; // changes to be stored, under the lock
    private long done; // those that were tried, under the lock
    private volatile boolean closed;
    private boolean claimed;
    private boolean weeded; // events that were damaged in the store
    private boolean superseded;
    private String said; // the fault that people know of
    private StoredRun run; // null: not yet
    private SortedMap<Integer, String> stored; // null: to be looked at

    /** @param claimed whether the attempt of this number has begun before, so that only a later one stands in its way */
    CheckpointUploads(Store store, RunFolder folder, long epoch, boolean claimed, StageContext context) {
        this.store = store;
        this.folder = folder;
        this.epoch = epoch;
        this.claimed = claimed;
        this.context = context;
        this.thread = Thread.ofVirtual().name("checkpoint-uploads").start(this::work);
        changed();
    }

    /** Hears that checkpoints of the run's folder have changed. */
    public void changed() {
        lock.lock();
        try {
            wanted++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        try {
            while (!closed) {
                long now = next();
                try {
                    sync();
                } finally {
                    done(now); // whatever happens: the stage waits for it
                }
            }
        } catch (InterruptedException e) {
            return; // closed
        }
    }

    private void done(long now) {
        lock.lock();
        try {
            done = now;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private long next() throws InterruptedException {
        lock.lock();
        try {
            while (wanted == done) {
                changed.await();
            }
            return wanted;
        } finally {
            lock.unlock();
        }
    }

    /** Ends what this thread is at. */
    private void listen(long moved, long all) {
        if (closed) {
            throw new ClosedException();
        }
        progress.set(Progress.of(
                Stage.TRAIN, Instant.now(), (double) moved / Math.max(1, all), "storing the last checkpoint"));
    }

    private static final class ClosedException extends RuntimeException {}

    private static final class SupersededException extends IOException {}

    private void sync() throws InterruptedException {
        if (superseded) {
            return;
        }
        try {
            if (run == null) {
                run = new StoredRun(store.objects(), folder);
            }
            mirror(run);
            if (said != null) {
                context.notice("the store answers again; its checkpoints are up to date");
                said = null;
            }
        } catch (SupersededException e) {
            superseded = true;
            context.notice("another host has gone on with this run: nothing of this one is stored any more");
        } catch (IOException e) {
            forget();
            String reason = Reasons.of(e);
            if (said == null) {
                context.notice(
                        "the newest checkpoint is on this machine only, to be stored with the next one: " + reason);
            }
            said = reason;
        } catch (ClosedException e) {
            return;
        } catch (RuntimeException
                | LinkageError
                | OutOfMemoryError e) { // what a client of S3 may do must not end a training
            forget();
            said = Reasons.of(e);
            context.notice("checkpoints are on this machine only: " + said);
        }
    }

    /** What the store has is to be looked at. */
    private void forget() {
        run = null;
        stored = null;
    }

    private void mirror(StoredRun run) throws IOException, InterruptedException {
        if (!claimed && !run.claim(epoch, owner, this::listen)) {
            throw new SupersededException();
        }
        claimed = true;
        if (!weeded) {
            run.weedEvents(this::listen);
            weeded = true;
        }
        if (stored == null) {
            stored = run.manifests(this::listen);
        }
        for (Checkpoint checkpoint : local().reversed()) {
            send(run, checkpoint);
        }
        List<Integer> kept = local().stream().map(c -> c.state().step()).toList();
        for (int step : StoredRun.obsolete(stored, kept)) {
            requireNewest(run);
            run.delete(step, this::listen);
            stored.remove(step);
        }
    }

    private void send(StoredRun run, Checkpoint checkpoint) throws IOException, InterruptedException {
        try (StoredRun.Held held = StoredRun.hold(checkpoint)) {
            if (held.manifest().sha256().equals(stored.get(held.step()))) {
                return;
            }
            requireNewest(run);
            run.sendFolder(
                    () -> requireNewest(run),
                    this::listen); // before it, so that who finds the checkpoint finds the run
            run.send(held, stored.containsKey(held.step()), () -> requireNewest(run), this::listen);
            stored.put(held.step(), held.manifest().sha256());
        } catch (NoSuchFileException e) {
            return; // retention was quicker
        }
    }

    private void requireNewest(StoredRun run) throws IOException, InterruptedException {
        if (!run.isNewest(epoch, this::listen)) {
            throw new SupersededException();
        }
    }

    private List<Checkpoint> local() throws IOException {
        return new CheckpointStore(folder.checkpoints(), notice -> {}).list();
    }

    /**
     * Waits until everything is stored or could not be, which is said: a training that is done on this machine is done. Where the
     * stage is told to stop it waits for a moment only.
     *
     * @return whether everything is stored
     */
    public boolean finish() throws InterruptedException {
        lock.lock();
        try {
            boolean tried = tryAll();
            // trouble of a moment is waited for: nothing comes after this that would make up for it
            for (Duration pause : LAST_PAUSES) {
                if (!tried || said == null || superseded) {
                    break;
                }
                long end = System.nanoTime() + pause.toNanos();
                while (context.stop() == StageContext.Stop.NONE && System.nanoTime() < end) {
                    boolean _ = changed.await(TICK_MILLIS, TimeUnit.MILLISECONDS);
                }
                tried = tryAll();
            }
            if (!tried && context.stop() != StageContext.Stop.ABANDONED) {
                context.notice("the last checkpoint is on this machine only: the store took too long");
            }
            return tried && said == null && !superseded; // written before done, under the lock
        } finally {
            lock.unlock();
        }
    }

    /** Has all of it tried, under the lock; false where the stage is told to stop and it takes longer than that has time. */
    private boolean tryAll() throws InterruptedException {
        long goal = ++wanted;
        changed.signalAll();
        long limit = Long.MAX_VALUE;
        while (done < goal && System.nanoTime() < limit) {
            if (context.stop() == StageContext.Stop.ABANDONED) {
                return false;
            }
            if (context.stop() != StageContext.Stop.NONE && limit == Long.MAX_VALUE) {
                limit = System.nanoTime() + LAST_GRACE.toNanos();
            }
            boolean _ = changed.await(TICK_MILLIS, TimeUnit.MILLISECONDS);
            Progress now = progress.get();
            if (now != null) {
                context.progress(now);
            }
        }
        return done >= goal;
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            boolean _ = thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
