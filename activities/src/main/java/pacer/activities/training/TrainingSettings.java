package pacer.activities.training;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.activities.process.JavaCommand;
import pacer.activities.process.Silence;
import pacer.activities.process.Standby;
import pacer.activities.run.BadInputException;
import pacer.trainer.Trainer;
import pacer.trainer.durable.Host;

/**
 * How trainers are run on this machine.
 *
 * @param java starts a main class of the trainer
 * @param trainer its main class
 * @param grace from being asked to stop until being killed: a step and a checkpoint must fit in
 * @param planning from the start until the first event; the first step of a large model takes its time
 * @param stall from one event or sign of life to the next, before the trainer is taken for hung and killed. Beyond the longest
 *     piece of work that tells nothing: a micro-step, a validation batch or a token (65,536 tokens of GPT-2 124M are 49 TFLOP, 8
 *     minutes on a processor that makes 100 GFLOP/s), the sync of a checkpoint's file to a slow disk; beyond what ranks wait for
 *     each other, as they can name the one that hangs. How long a step, a validation or a sampling takes does not matter
 * @param fruitlessAttempts failures in a row at one checkpoint after which trying again is given up
 * @param standby a process that waits for the first training of one rank
 * @param address of this host at which ranks of other hosts reach its ranks; empty where it trains alone, its ranks at loopback
 */
public record TrainingSettings(
        JavaCommand java,
        String trainer,
        Duration grace,
        Duration planning,
        Duration stall,
        int fruitlessAttempts,
        Optional<Standby> standby,
        Optional<String> address) {
    /** The environment variable that carries the address. */
    static final String ADDRESS = "PACER_RANKS_ADDRESS";

    /** Settings of a host that trains alone. */
    public TrainingSettings(
            JavaCommand java,
            String trainer,
            Duration grace,
            Duration planning,
            Duration stall,
            int fruitlessAttempts,
            Optional<Standby> standby) {
        this(java, trainer, grace, planning, stall, fruitlessAttempts, standby, Optional.empty());
    }

    public static TrainingSettings of(Map<String, String> environment) {
        return new TrainingSettings(
                JavaCommand.ofThisProcess(environment),
                "pacer.trainer.Trainer",
                Duration.ofSeconds(60),
                Duration.ofMinutes(30),
                Silence.limit(environment),
                5,
                Optional.empty(),
                Optional.of(environment.getOrDefault(ADDRESS, "").strip()).filter(given -> !given.isEmpty()));
    }

    /**
     * The address at which ranks of other hosts reach this one's, in digits: names may mean other machines elsewhere.
     *
     * @throws BadInputException where none is set, or none of this host's: ranks keep to loopback, then
     * @throws IOException where its name cannot be looked up
     */
    public String requireAddress() throws IOException {
        String given = address.orElseThrow(() -> new BadInputException("train.hosts: host " + Host.name() + " has no "
                + ADDRESS + ", the address at which ranks of other hosts reach it; set it for its worker"));
        InetAddress own;
        try {
            own = InetAddress.getByName(given);
        } catch (UnknownHostException e) {
            throw new IOException(ADDRESS + " of host " + Host.name() + " is '" + given + "': no such host", e);
        }
        String fault = own.isAnyLocalAddress() ? "stands for all" : unbindable(own);
        if (fault != null) {
            throw new BadInputException("%s of host %s is '%s', which %s; set it to one address of that host"
                    .formatted(ADDRESS, Host.name(), given, fault));
        }
        return own.getHostAddress();
    }

    private static String unbindable(InetAddress address) {
        try (ServerSocket _ = new ServerSocket(0, 1, address)) {
            return null;
        } catch (IOException e) {
            return "is none of its own (" + e.getMessage() + ")";
        }
    }

    /** These settings with a trainer that starts now and stands by. */
    public TrainingSettings standingBy(Path cache) {
        return new TrainingSettings(
                java,
                trainer,
                grace,
                planning,
                stall,
                fruitlessAttempts,
                Standby.begin(java.line(trainer, List.of(Trainer.STANDBY, cache.toString()))),
                address);
    }
}
