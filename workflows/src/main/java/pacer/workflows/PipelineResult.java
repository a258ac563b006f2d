package pacer.workflows;

import pacer.activities.dataset.DatasetResult;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.Verdict;
import pacer.activities.training.TrainingResult;

/** What a finished run came to: the workflow's result. */
public record PipelineResult(
        String run, Verdict verdict, DatasetResult dataset, TrainingResult training, EvaluationResult evaluation) {}
