package pacer.activities.evaluation;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import pacer.activities.process.JavaCommand;
import pacer.activities.process.Silence;
import pacer.activities.process.Standby;

/**
 * How checkpoints are evaluated on this machine.
 *
 * @param java starts a main class of the trainer
 * @param evaluator its main class
 * @param grace from being asked to stop until being killed
 * @param stall from one event or sign of life to the next, before the evaluator is taken for hung and killed; as for a trainer
 * @param standby a trainer's process that can evaluate when it does not train
 */
public record EvaluationSettings(
        JavaCommand java, String evaluator, Duration grace, Duration stall, Optional<Standby> standby) {

    public static EvaluationSettings of(Map<String, String> environment) {
        return new EvaluationSettings(
                JavaCommand.ofThisProcess(environment),
                "pacer.trainer.Evaluator",
                Duration.ofSeconds(5),
                Silence.limit(environment),
                Optional.empty());
    }

    /** These settings with a process that stands by. */
    public EvaluationSettings with(Optional<Standby> process) {
        return new EvaluationSettings(java, evaluator, grace, stall, process);
    }
}
