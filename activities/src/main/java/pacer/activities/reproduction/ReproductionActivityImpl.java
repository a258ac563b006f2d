package pacer.activities.reproduction;

import java.io.IOException;
import pacer.activities.run.ActivityStage;

/** {@link Reproductions} as a Temporal activity. */
public record ReproductionActivityImpl(Reproductions reproductions) implements ReproductionActivity {
    @Override
    public Reproduction compare(String run) {
        try {
            return reproductions.compare(run);
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }
}
