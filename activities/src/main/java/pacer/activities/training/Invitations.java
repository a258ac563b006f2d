package pacer.activities.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunFolder;
import pacer.activities.run.StageContext;
import pacer.activities.store.StoredRuns;
import pacer.trainer.durable.Host;

/**
 * Brings the other hosts' ranks to rank 0, as soon as that listens: the workflow is told where it is; the secret goes through the store, which hosts
 * prove themselves to anyway, and is deleted with the attempt.
 */
final class Invitations implements AutoCloseable {
    private final RunFolder folder;
    private final StoredRuns store; // null where no others are
    private final String gathering;
    private final long epoch;
    private final TrainerLauncher.Placement placement;
    private final Integer lastStep;
    private final StageContext context;
    private final Consumer<Meeting> invitation;
    private boolean told;

    private Invitations(
            RunFolder folder,
            StoredRuns store,
            String gathering,
            long epoch,
            TrainerLauncher.Placement placement,
            Integer lastStep,
            StageContext context,
            Consumer<Meeting> invitation) {
        this.folder = folder;
        this.store = store;
        this.gathering = gathering;
        this.epoch = epoch;
        this.placement = placement;
        this.lastStep = lastStep;
        this.context = context;
        this.invitation = invitation;
        this.told = store == null;
    }

    /**
     * Puts the secret of {@code placement} where the other hosts of {@code ensemble} find it; does nothing where that is null.
     *
     * @param lastStep where training ends; null: where the spec says
     */
    static Invitations of(
            Ensemble ensemble,
            RunFolder folder,
            long epoch,
            TrainerLauncher.Placement placement,
            Integer lastStep,
            Optional<StoredRuns> store,
            StageContext context,
            Consumer<Meeting> invitation)
            throws IOException, InterruptedException {
        StoredRuns shared = ensemble == null ? null : store.orElseThrow();
        if (shared != null) {
            shared.putRendezvousToken(folder.id(), epoch, placement.token(), context);
        }
        String gathering = ensemble == null ? "" : ensemble.gathering();
        return new Invitations(folder, shared, gathering, epoch, placement, lastStep, context, invitation);
    }

    /** Tells where rank 0 is, once, when it is known. */
    void look() {
        if (told) {
            return;
        }
        Path file = TrainerLauncher.meetingPlace(folder, epoch);
        try {
            String port = Files.readString(file).strip();
            String address = placement.address().orElseThrow();
            String rendezvous = (address.contains(":") ? "[%s]:%s" : "%s:%s").formatted(address, port);
            invitation.accept(new Meeting(gathering, rendezvous, epoch, Files.readString(folder.preset()), lastStep));
            told = true;
        } catch (NoSuchFileException notYet) {
            return;
        } catch (IOException e) {
            throw new UncheckedIOException("host " + Host.name() + " cannot say where rank 0 is", e);
        }
    }

    @Override
    public void close() throws InterruptedException {
        if (store != null) {
            try {
                store.deleteRendezvousToken(folder.id(), epoch);
            } catch (IOException e) {
                // of no use to anybody: the next attempt has another
                context.notice("the ranks' secret of a past attempt is still in the store: " + Reasons.of(e));
            }
        }
    }
}
