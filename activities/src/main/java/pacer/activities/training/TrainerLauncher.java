package pacer.activities.training;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.activities.process.Child;
import pacer.activities.process.Standby;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.trainer.Trainer;
import pacer.trainer.dist.Group;

/** Starts trainer processes. Several ranks meet at a file in the run's folder, with a secret made for the occasion. */
final class TrainerLauncher {
    private static final String MEETING_PLACE = "rendezvous-";

    private final Home home;
    private final TrainingSettings settings;

    TrainerLauncher(Home home, TrainingSettings settings) {
        this.home = home;
        this.settings = settings;
    }

    /** Takes a line of a rank's standard output. */
    @FunctionalInterface
    interface Lines {
        void take(int rank, String line);
    }

    /**
     * Which ranks are started here, and how they find the others.
     *
     * @param first of them
     * @param here how many
     * @param size how many there are over all hosts
     * @param token their secret
     * @param rendezvous where rank 0 is, as its address and port, or the file in which it writes its port
     * @param address of this host among several
     */
    record Placement(int first, int here, int size, String token, String rendezvous, Optional<String> address) {
        @Override
        public String toString() {
            return "ranks from %d on, %d of %d".formatted(first, here, size); // and never the token
        }
    }

    /** All ranks or, on the first of several hosts, the first ones; rank 0 says where it is in a file of {@code folder}. */
    static Placement first(RunFolder folder, int here, int size, long epoch, Optional<String> address) {
        return new Placement(0, here, size, token(), meetingPlace(folder, epoch).toString(), address);
    }

    /** The file that rank 0 writes its port to. */
    static Path meetingPlace(RunFolder folder, long epoch) {
        return folder.path().resolve(MEETING_PLACE + epoch);
    }

    /**
     * Starts ranks of an attempt; when one does not start, none is left.
     *
     * @param data folder of the staged dataset
     * @param weights folder of the weights to begin with; empty where they are drawn, and where rank 0 is on another host
     * @param hellaSwag file of HellaSwag's examples; empty where it is not measured
     * @param lastStep where training ends; null: where the spec says
     * @param commit git commit of the code, for the checkpoints; null when unknown
     * @param lines takes the lines of their standard output
     */
    List<Child> start(
            RunFolder folder,
            Path data,
            Optional<Path> weights,
            Optional<Path> hellaSwag,
            Placement placement,
            Integer lastStep,
            long epoch,
            String commit,
            Lines lines)
            throws IOException, InterruptedException {
        deleteMeetingPlaces(folder);
        boolean alone = placement.size() == 1;
        if (!alone) {
            settings.standby().ifPresent(Standby::close); // it is no use to several ranks, and holds memory
        }
        List<Child> ranks = new ArrayList<>();
        try {
            for (int rank = placement.first(); rank < placement.first() + placement.here(); rank++) {
                int which = rank;
                List<String> arguments = arguments(folder, data, lastStep, epoch, commit, rank, placement);
                weights.ifPresent(from -> arguments.addAll(List.of("--weights", from.toString())));
                hellaSwag.ifPresent(file -> arguments.addAll(List.of("--hellaswag", file.toString())));
                Path log = rank == 0 ? folder.trainerLog() : folder.path().resolve("trainer-rank" + rank + ".log");
                Optional<Child> standby = alone ? standby(arguments, log, lines) : Optional.empty();
                ranks.add(
                        standby.isPresent()
                                ? standby.get()
                                : Child.start(
                                        settings.java().line(settings.trainer(), arguments),
                                        alone ? Map.of() : Map.of(Group.TOKEN_VARIABLE, placement.token()),
                                        log,
                                        line -> lines.take(which, line)));
            }
            return ranks;
        } catch (IOException | InterruptedException | RuntimeException e) {
            ranks.forEach(Child::kill);
            throw e;
        }
    }

    private Optional<Child> standby(List<String> arguments, Path log, Lines lines) throws IOException {
        return settings.standby().isPresent()
                ? settings.standby().get().take(Trainer.TRAIN, arguments, log, line -> lines.take(0, line))
                : Optional.empty();
    }

    private List<String> arguments(
            RunFolder folder, Path data, Integer lastStep, long epoch, String commit, int rank, Placement placement) {
        List<String> arguments = new ArrayList<>(List.of(
                "--spec", folder.preset().toString(),
                "--data", data.toString(),
                "--run", folder.path().toString(),
                "--cache", home.cache().toString(),
                "--epoch", Long.toString(epoch),
                "--rank", Integer.toString(rank),
                "--ranks", Integer.toString(placement.size())));
        if (lastStep != null) {
            arguments.addAll(List.of("--steps", lastStep.toString()));
        }
        if (commit != null) {
            arguments.addAll(List.of("--commit", commit));
        }
        if (placement.size() > 1) {
            arguments.addAll(List.of("--rendezvous", placement.rendezvous()));
            placement.address().ifPresent(own -> arguments.addAll(List.of("--address", own)));
        }
        return arguments;
    }

    /** Of attempts that were killed before their ranks met. */
    private static void deleteMeetingPlaces(RunFolder folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder.path(), MEETING_PLACE + "*")) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static String token() {
        byte[] secret = new byte[32];
        new SecureRandom().nextBytes(secret);
        return HexFormat.of().formatHex(secret);
    }
}
