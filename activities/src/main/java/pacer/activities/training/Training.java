package pacer.activities.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import pacer.activities.process.Child;
import pacer.activities.process.ProcessIdentity;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Digests;
import pacer.activities.run.DurableFiles;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;
import pacer.activities.run.StoppedException;
import pacer.activities.staging.Staging;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecException;
import pacer.trainer.spec.SpecHash;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;

/**
 * Trains a run: one trainer process a rank, from the newest checkpoint there is. Each attempt takes the run's next epoch, so
 * that nothing an earlier one left behind can write any more.
 */
public final class Training {
    private static final String TOKEN = "PACER_RENDEZVOUS_TOKEN";
    private static final int LAST_WORDS = 5;

    private final Home home;
    private final StageLog log;
    private final RunHub hub;
    private final Clock clock;
    private final TrainingSettings settings;

    public Training(Home home, StageLog log, RunHub hub, Clock clock, TrainingSettings settings) {
        this.home = home;
        this.log = log;
        this.hub = hub;
        this.clock = clock;
        this.settings = settings;
    }

    /**
     * Trains, or takes the result of an earlier training of the same spec on the same dataset.
     *
     * @param owner the workflow execution on whose behalf; failures are counted for each
     * @throws BadInputException when the spec does not fit the dataset
     * @throws TrainingFailure when the trainer failed, with its reason
     * @throws StoppedException when {@code context} said so
     */
    public TrainingResult train(TrainingRequest request, String owner, StageContext context)
            throws IOException, InterruptedException {
        RunFolder folder = home.run(request.run());
        Path data = home.staged().resolve(request.dataset());
        RunSpec spec = resolve(folder, data);
        String key = Digests.ofParts("train", SpecHash.of(spec), request.dataset());
        return log.run(
                request.run(),
                Stage.TRAIN,
                key,
                TrainingResult.class,
                earlier -> Files.isDirectory(folder.path().resolve(earlier.lastCheckpoint())),
                () -> attempt(folder, data, spec, owner, context));
    }
}
