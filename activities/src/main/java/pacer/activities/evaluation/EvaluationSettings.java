package pacer.activities.evaluation;

import java.time.Duration;
import java.util.Map;
import pacer.activities.process.JavaCommand;

/**
 * How checkpoints are evaluated on this machine.
 *
 * @param java starts a main class of the trainer
 * @param evaluator its main class
 * @param grace from being asked to stop until being killed
 * @param stall from one event or sign of life to the next, before the evaluator is taken for hung and killed; as for a trainer
 */
public record EvaluationSettings(JavaCommand java, String evaluator, Duration grace, Duration stall) {

    public static EvaluationSettings of(Map<String, String> environment) {
        return new EvaluationSettings(
                JavaCommand.ofThisProcess(environment),
                "pacer.trainer.Evaluator",
                Duration.ofSeconds(5),
                Duration.ofMinutes(15));
    }
}
