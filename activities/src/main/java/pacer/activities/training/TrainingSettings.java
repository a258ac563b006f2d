package pacer.activities.training;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.activities.process.JavaCommand;
import pacer.activities.process.Silence;
import pacer.activities.process.Standby;
import pacer.trainer.Trainer;

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
