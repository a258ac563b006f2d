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
 */
public record EvaluationSettings(JavaCommand java, String evaluator, Duration grace) {

    public static EvaluationSettings of(Map<String, String> environment) {
        return new EvaluationSettings(
                JavaCommand.ofThisProcess(environment), "pacer.trainer.Evaluator", Duration.ofSeconds(5));
    }
}
