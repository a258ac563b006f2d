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
     * Starts the ranks of an attempt; when one does not start, none is left.
     *
     * @param data folder of the staged dataset
     * @param weights folder of the weights to begin with; empty where they are drawn
     * @param hellaSwag file of HellaSwag's examples; empty where it is not measured
     * @param size number of ranks
     * @param lastStep where training ends; null: where the spec says
     * @param commit git commit of the code, for the checkpoints; null when unknown
     * @param lines takes the lines of their standard output
     */
    List<Child> start(
            RunFolder folder,
            Path data,
            Optional<Path> weights,
            Optional<Path> hellaSwag,
            int size,
            Integer lastStep,
            long epoch,
            String commit,
            Lines lines)
            throws IOException, InterruptedException {
        deleteMeetingPlaces(folder);
        Path rendezvous = folder.path().resolve(MEETING_PLACE + epoch);
        String token = token();
        if (size > 1) {
            settings.standby().ifPresent(Standby::close); // it is no use to several ranks, and holds memory
        }
        List<Child> ranks = new ArrayList<>();
        try {
            for (int rank = 0; rank < size; rank++) {
                int which = rank;
                List<String> arguments = arguments(folder, data, lastStep, epoch, commit, rank, size, rendezvous);
                weights.ifPresent(from -> arguments.addAll(List.of("--weights", from.toString())));
                hellaSwag.ifPresent(file -> arguments.addAll(List.of("--hellaswag", file.toString())));
                Path log = rank == 0 ? folder.trainerLog() : folder.path().resolve("trainer-rank" + rank + ".log");
                Optional<Child> standby = size == 1 ? standby(arguments, log, lines) : Optional.empty();
                ranks.add(
                        standby.isPresent()
                                ? standby.get()
                                : Child.start(
                                        settings.java().line(settings.trainer(), arguments),
                                        size > 1 ? Map.of(Group.TOKEN_VARIABLE, token) : Map.of(),
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
            RunFolder folder,
            Path data,
            Integer lastStep,
            long epoch,
            String commit,
            int rank,
            int size,
            Path rendezvous) {
        List<String> arguments = new ArrayList<>(List.of(
                "--spec", folder.preset().toString(),
                "--data", data.toString(),
                "--run", folder.path().toString(),
                "--cache", home.cache().toString(),
                "--epoch", Long.toString(epoch),
                "--rank", Integer.toString(rank),
                "--ranks", Integer.toString(size)));
        if (lastStep != null) {
            arguments.addAll(List.of("--steps", lastStep.toString()));
        }
        if (commit != null) {
            arguments.addAll(List.of("--commit", commit));
        }
        if (size > 1) {
            arguments.addAll(List.of("--rendezvous", rendezvous.toString()));
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
