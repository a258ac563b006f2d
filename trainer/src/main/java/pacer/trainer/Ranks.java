package pacer.trainer;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import pacer.trainer.data.BadDataException;
import pacer.trainer.dist.Collectives;
import pacer.trainer.dist.Group;
import pacer.trainer.dist.Rendezvous;
import pacer.trainer.dist.SocketCollectives;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.optim.Sharding;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecHash;

/** Brings the ranks of a training together. */
final class Ranks {
    /** Ranks start together; a loaded machine takes seconds to start a process. */
    private static final Duration JOINING = Duration.ofMinutes(2);
    /**
     * A hung rank is noticed after it. Longer than any piece of what rank 0 does while the others wait (it tells them that it is at
     * work whenever it tells its parent): syncing a checkpoint's file to a slow disk. Shorter than the parent waits for a sign of
     * life, as a rank can name the one that hangs.
     */
    private static final Duration WAITING = Duration.ofMinutes(10);

    private Ranks() {}

    /** Which part of the optimizer's state {@code rank} has. */
    static Sharding sharding(RunSpec spec, int rank) {
        return spec.train().zeroStage() > 0 ? new Sharding(rank, spec.train().ranks()) : Sharding.NONE;
    }

    static Collectives join(RunSpec spec, Arguments arguments, int rank) {
        int size = spec.train().ranks();
        if (size == 1) {
            return new SoloCollectives();
        }
        String where = arguments.text("rendezvous");
        if (where == null) {
            throw new BadDataException(
                    "trainer: --rendezvous is missing; " + size + " ranks need to know where to meet");
        }
        // a path publishes the address that rank 0 takes, for ranks on one machine
        Rendezvous rendezvous = Rendezvous.parse(where.contains("/") ? "file:" + where : where);
        return SocketCollectives.join(new Group(
                rank,
                size,
                SpecHash.of(spec),
                Group.tokenFromEnvironment(),
                rendezvous,
                address(arguments.text("address")),
                JOINING,
                WAITING));
    }

    private static Optional<InetAddress> address(String text) {
        if (text == null) {
            return Optional.empty();
        }
        InetAddress address;
        try {
            address = InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new BadDataException("trainer: --address " + text + ": no such host");
        }
        if (address.isAnyLocalAddress()) {
            throw new BadDataException(
                    "trainer: --address " + text + ": must be one address of this host, which other ranks can call");
        }
        return Optional.of(address);
    }
}
