package pacer.activities.reproduction;

import io.temporal.activity.Activity;
import java.io.IOException;
import java.util.function.BiConsumer;
import pacer.activities.run.ActivityStage;

/**
 * {@link Reproductions} as a Temporal activity.
 *
 * @param listener hears what each came to, and the id of the workflow that it is of
 */
public record ReproductionActivityImpl(Reproductions reproductions, BiConsumer<Reproduction, String> listener)
        implements ReproductionActivity {
    @Override
    public Reproduction compare(String run) {
        Reproduction told;
        try {
            told = reproductions.compare(run);
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
        listener.accept(told, Activity.getExecutionContext().getInfo().getWorkflowId());
        return told;
    }
}
