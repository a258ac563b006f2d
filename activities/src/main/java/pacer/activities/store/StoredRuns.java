package pacer.activities.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunFolder;
import pacer.activities.run.Runs;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.FencedException;

/** Runs in the store, so that another host can go on with one. */
public final class StoredRuns {
    private static final Duration MOMENT = Duration.ofSeconds(20);

    private final Store store;

    public StoredRuns(Store store) {
        this.store = store;
    }

    /** Makes the folder of the run {@code id} in {@code home} from what is stored of it, events too; false when the store does not have it. */
    public boolean bring(Home home, String id) throws IOException, InterruptedException {
        StoredRun run = new StoredRun(store.objects(), home.run(id));
        boolean there = run.bring(TransferListener.NOBODY);
        if (there) {
            run.bringEventsAnew(TransferListener.NOBODY);
        }
        return there;
    }

    /** Where runs of other hosts are for those who open runs in {@code home}. */
    public static Runs.Elsewhere elsewhere(Optional<Store> store, Home home) {
        return store.map(there -> new StoredRuns(there).of(home)).orElse(Runs.Elsewhere.NOWHERE);
    }

    /** The runs of other hosts for those who open runs in {@code home}. */
    Runs.Elsewhere of(Home home) {
        return new Runs.Elsewhere() {
            @Override
            public void bring(String id) throws IOException, InterruptedException {
                // without events, which may take long: training brings them
                boolean _ = new StoredRun(store.objects(), home.run(id)).bring(TransferListener.NOBODY);
            }

            @Override
            public void keep(RunFolder run) throws IOException, InterruptedException {
                StoredRuns.this.keep(run);
            }
        };
    }

    /**
     * Stores how the run stands, unless another host has gone on with it.
     *
     * @throws IOException also when the store takes longer than a moment
     */
    private void keep(RunFolder folder) throws IOException, InterruptedException {
        Instant limit = Instant.now().plus(MOMENT);
        TransferListener listener = (done, all) -> {
            if (Instant.now().isAfter(limit)) {
                throw new UncheckedIOException(
                        new IOException(store.place() + " did not take it within " + MOMENT.toSeconds() + " s"));
            }
        };
        try {
            StoredRun run = new StoredRun(store.objects(), folder);
            long ours = Fence.newest(folder.path());
            if (run.isNewest(ours, listener)) {
                run.sendFolder(
                        () -> {
                            if (!run.isNewest(ours, listener)) {
                                throw new IOException("another host has gone on with the run meanwhile");
                            }
                        },
                        listener);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** The newest attempt at training, of any host; 0 when there was none, or the store does not answer, which is said. */
    public long newestEpoch(RunFolder folder, StageContext context) throws InterruptedException {
        try {
            return new StoredRun(store.objects(), folder).newestEpoch((done, all) -> context.check());
        } catch (IOException e) {
            context.notice("the store does not say whether another host has gone on with the run: " + Reasons.of(e));
            return 0;
        }
    }

    /**
     * Brings the events and the checkpoints that this host lacks where the newest checkpoint of the store is newer than any here; what is
     * damaged is passed over, and said.
     *
     * @throws IOException when the store does not answer and this host has none to go on with, though the run was trained
     */
    public void restore(RunFolder folder, Fence fence, StageContext context) throws IOException, InterruptedException {
        CheckpointStore checkpoints = new CheckpointStore(folder.checkpoints(), context::notice);
        List<Integer> here = steps(checkpoints);
        try {
            StoredRun run = new StoredRun(store.objects(), folder);
            List<Integer> there = new ArrayList<>(
                    run.manifests((done, all) -> context.check()).keySet());
            if (there.isEmpty() || (!here.isEmpty() && here.getLast() >= there.getLast())) {
                return;
            }
            bringEvents(run, fence, context);
            there.removeAll(here);
            for (int step : there.reversed()) {
                fetch(run, step, checkpoints, fence, context);
            }
        } catch (FencedException e) {
            throw e;
        } catch (IOException e) {
            if (here.isEmpty() && !folder.read().trainedOn().isEmpty()) {
                throw e; // rather than to begin anew what others have trained
            }
            context.notice("checkpoints of the store were not looked at: " + Reasons.of(e));
        }
    }

    private static void bringEvents(StoredRun run, Fence fence, StageContext context)
            throws IOException, InterruptedException {
        try {
            for (String damage : run.bringEvents(fence, telling("fetching the run's events", context))) {
                context.notice("events are damaged in the store, curves lack them: " + damage);
            }
        } catch (DamagedObjectException e) {
            context.notice("events are damaged in the store, curves lack them: " + e.getMessage());
        }
    }

    private static TransferListener telling(String what, StageContext context) {
        return (done, all) -> {
            context.check();
            context.progress(Progress.of(Stage.TRAIN, Instant.now(), (double) done / Math.max(1, all), what));
        };
    }

    private static void fetch(StoredRun run, int step, CheckpointStore checkpoints, Fence fence, StageContext context)
            throws IOException, InterruptedException {
        try {
            Checkpoint found =
                    run.fetch(step, checkpoints, fence, telling("fetching the checkpoint of step " + step, context));
            context.notice(
                    "checkpoint of step %d fetched from the store, %.1f MB".formatted(step, found.bytes() / 1e6));
        } catch (DamagedObjectException e) {
            context.notice("damaged checkpoint in the store set aside, the one before it is used: " + e.getMessage());
        }
    }

    private static List<Integer> steps(CheckpointStore checkpoints) throws IOException {
        return checkpoints.list().stream().map(c -> c.state().step()).toList();
    }

    /** Puts the secret by which the ranks of an attempt know each other where other hosts of this store find it. */
    public void putRendezvousToken(String run, long epoch, String token, StageContext context)
            throws IOException, InterruptedException {
        for (String left : store.objects().list(rendezvous(run), TransferListener.NOBODY)) {
            store.objects().delete(left, TransferListener.NOBODY); // of an attempt whose host died
        }
        store.objects()
                .replace(
                        rendezvous(run, epoch),
                        Content.of(token.getBytes(StandardCharsets.US_ASCII)),
                        (done, all) -> context.check());
    }

    /**
     * The secret of {@link #putRendezvousToken}.
     *
     * @throws IOException also when it is not there: the attempt is over
     */
    public String rendezvousToken(String run, long epoch, StageContext context)
            throws IOException, InterruptedException {
        byte[] token = store.objects()
                .read(rendezvous(run, epoch), (done, all) -> context.check())
                .orElseThrow(() -> new IOException(store.place() + " has no secret of the ranks of attempt " + epoch
                        + " of run " + run + " any more: it is over"));
        return new String(token, StandardCharsets.US_ASCII);
    }

    /** Deletes the secret of {@link #putRendezvousToken}. */
    public void deleteRendezvousToken(String run, long epoch) throws IOException, InterruptedException {
        store.objects().delete(rendezvous(run, epoch), TransferListener.NOBODY);
    }

    private static String rendezvous(String run, long epoch) {
        return rendezvous(run) + epoch;
    }

    private static String rendezvous(String run) {
        return "runs/" + run + "/rendezvous/";
    }

    /** Begins to store the checkpoints of an attempt at training, beside it. */
    public CheckpointUploads uploads(RunFolder folder, long epoch, StageContext context) {
        return new CheckpointUploads(store, folder, epoch, false, context);
    }

    /**
     * Stores the checkpoints that the store lacks of a run that is not trained at this moment, unless another host has gone on with it.
     *
     * @return whether it has them all; if not, why was said
     */
    public boolean makeUp(RunFolder folder, StageContext context) throws IOException, InterruptedException {
        try (CheckpointUploads uploads =
                new CheckpointUploads(store, folder, Fence.newest(folder.path()), true, context)) {
            return uploads.finish();
        }
    }

    /** The same, and how the run stands. */
    public boolean publish(RunFolder folder, StageContext context) throws IOException, InterruptedException {
        boolean whole = makeUp(folder, context);
        if (whole) {
            keep(folder);
        }
        return whole;
    }
}
