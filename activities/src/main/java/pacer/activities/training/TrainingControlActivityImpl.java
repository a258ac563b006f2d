package pacer.activities.training;

import pacer.activities.run.ActivityStage;

/** {@link Training#checkpointNow} as a Temporal activity. */
public record TrainingControlActivityImpl(Training training) implements TrainingControlActivity {
    @Override
    public String checkpoint(String run) {
        try {
            return training.checkpointNow(run);
        } catch (InterruptedException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }
}
