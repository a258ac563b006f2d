package pacer.activities.dataset;

import java.util.Optional;
import pacer.activities.dataset.Preparation.BroughtFile;
import pacer.activities.dataset.Preparation.DivideRequest;
import pacer.activities.dataset.Preparation.Division;
import pacer.activities.dataset.Preparation.FileRequest;
import pacer.activities.dataset.Preparation.FinishRequest;
import pacer.activities.dataset.Preparation.JoinRequest;
import pacer.activities.dataset.Preparation.PartRequest;
import pacer.activities.dataset.Preparation.Piece;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.BadInputException;
import pacer.activities.run.PreparationRequest;
import pacer.activities.run.Stage;
import pacer.trainer.durable.Host;
import pacer.trainer.text.Tokenization.Shard;

/**
 * {@link SharedDatasets} as Temporal activities.
 *
 * @param shared empty where this worker has no store: then it says so to who asks for a dataset, and is not asked for more
 */
public record PreparationActivityImpl(Optional<SharedDatasets> shared, ActivityStage activity)
        implements PreparationActivity {

    private SharedDatasets datasets() {
        return shared.orElseThrow(() -> new BadInputException(
                "PrepareDataset makes a dataset in the store that hosts share, and the worker on %s has none: set PACER_STORE for the workers"
                        .formatted(Host.name())));
    }

    @Override
    public Preparation find(PreparationRequest request) {
        return activity.work(
                Stage.DATASET, "dataset", true, context -> datasets().find(request, context));
    }

    @Override
    public DatasetResult await(Preparation preparation) {
        return told(preparation, context -> datasets().await(preparation, context));
    }

    @Override
    public BroughtFile bring(FileRequest request) {
        return oneOfMany(request.of(), context -> datasets().bring(request, context));
    }

    @Override
    public Division divide(DivideRequest request) {
        return told(request.of(), context -> datasets().text().divide(request.of(), context));
    }

    @Override
    public Piece tokenize(PartRequest request) {
        return oneOfMany(request.of(), context -> datasets().text().tokenize(request, context));
    }

    @Override
    public Shard join(JoinRequest request) {
        return oneOfMany(request.of(), context -> datasets().text().join(request, context));
    }

    @Override
    public DatasetResult finish(FinishRequest request) {
        return told(request.of(), context -> datasets().finish(request, context));
    }

    @Override
    public void drop(Preparation preparation) {
        boolean _ = told(preparation, context -> datasets().drop(preparation, context));
    }

    private <T> T told(Preparation preparation, ActivityStage.Body<T> body) {
        return activity.work(Stage.DATASET, name(preparation), true, body);
    }

    /** Its workflow hears of its end alone: there are hundreds, and each signal is four events of the history. */
    private <T> T oneOfMany(Preparation preparation, ActivityStage.Body<T> body) {
        return activity.work(Stage.DATASET, name(preparation), false, body);
    }

    private static String name(Preparation preparation) {
        return "dataset-" + preparation.hash().substring(0, 12);
    }
}
