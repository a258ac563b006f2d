package pacer.activities.dataset;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import pacer.activities.dataset.Preparation.BroughtFile;
import pacer.activities.dataset.Preparation.DivideRequest;
import pacer.activities.dataset.Preparation.Division;
import pacer.activities.dataset.Preparation.FileRequest;
import pacer.activities.dataset.Preparation.FinishRequest;
import pacer.activities.dataset.Preparation.JoinRequest;
import pacer.activities.dataset.Preparation.PartRequest;
import pacer.activities.dataset.Preparation.Piece;
import pacer.activities.run.PreparationRequest;
import pacer.trainer.text.Tokenization.Shard;

/** Datasets made by several hosts that share a store: each step by any of them. */
@ActivityInterface
public interface PreparationActivity {
    /** Names the dataset, and says whether it is there. */
    @ActivityMethod(name = "FindDataset")
    Preparation find(PreparationRequest request);

    /** Waits for the execution that makes it, which is begun where there is none. */
    @ActivityMethod(name = "AwaitDataset")
    DatasetResult await(Preparation preparation);

    @ActivityMethod(name = "BringFile")
    BroughtFile bring(FileRequest request);

    @ActivityMethod(name = "DivideText")
    Division divide(DivideRequest request);

    @ActivityMethod(name = "TokenizePart")
    Piece tokenize(PartRequest request);

    @ActivityMethod(name = "JoinShard")
    Shard join(JoinRequest request);

    @ActivityMethod(name = "FinishDataset")
    DatasetResult finish(FinishRequest request);

    /** Deletes what was shared on the way to a dataset that cannot be made. */
    @ActivityMethod(name = "DropParts")
    void drop(Preparation preparation);
}
