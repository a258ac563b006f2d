package pacer.workflows;

import java.util.Optional;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageResult;
import pacer.activities.run.Verdict;
import pacer.activities.training.TrainingResult;

/**
 * What a finished run came to: the workflow's result.
 *
 * @param host that the run's folder is on; null in results from before it was told
 */
public record PipelineResult(
        String run,
        Verdict verdict,
        DatasetResult dataset,
        TrainingResult training,
        EvaluationResult evaluation,
        String host) {

    /** The same from a run's record; empty unless it is finished. */
    static Optional<PipelineResult> of(RunRecord record) {
        return record.status() != RunStatus.FINISHED
                ? Optional.empty()
                : Optional.of(new PipelineResult(
                        record.id(),
                        record.verdict(),
                        result(record, Stage.DATASET, DatasetResult.class),
                        result(record, Stage.TRAIN, TrainingResult.class),
                        result(record, Stage.EVALUATE, EvaluationResult.class),
                        record.environment() == null
                                ? null
                                : record.environment().host()));
    }

    private static <T extends StageResult> T result(RunRecord record, Stage stage, Class<T> type) {
        return record.stage(stage).map(found -> found.resultAs(type)).orElse(null);
    }
}
