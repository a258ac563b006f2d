package pacer.activities.evaluation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageFailure;
import pacer.activities.run.StageLog;
import pacer.activities.staging.Staging;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.FileFacts;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.durable.Sha256;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecHash;
import pacer.trainer.spec.SpecLoader;

/** Measures the checkpoint of a run. The evaluator's texts go to {@code samples/final-1.txt} and on. */
public final class Evaluation {
    private final Home home;
    private final StageLog log;
    private final RunHub hub;
    private final Clock clock;
    private final EvaluationSettings settings;

    public Evaluation(Home home, StageLog log, RunHub hub, Clock clock, EvaluationSettings settings) {
        this.home = home;
        this.log = log;
        this.hub = hub;
        this.clock = clock;
        this.settings = settings;
    }

    /**
     * Evaluates, or takes the result of an earlier evaluation of the same checkpoint.
     *
     * @throws DamagedDataException when a staged shard or the checkpoint is not what it was; an earlier stage mends that
     * @throws StageFailure when the evaluator failed, with its reason
     */
    public EvaluationResult evaluate(EvaluationRequest request, StageContext context)
            throws IOException, InterruptedException {
        RunFolder folder = home.run(request.run());
        RunSpec spec = SpecLoader.read(folder.preset());
        // by its weights, not its name alone: where they were damaged, another machine may have trained them anew
        String key = Sha256.ofParts("evaluate", SpecHash.of(spec), request.dataset(), weights(folder, request));
        return log.run(
                request.run(),
                Stage.EVALUATE,
                key,
                EvaluationResult.class,
                earlier -> earlier.samples() == 0 || Files.exists(sample(folder, earlier.samples())),
                context,
                () -> measure(folder, request, context));
    }

    private EvaluationResult measure(RunFolder folder, EvaluationRequest request, StageContext context)
            throws IOException, InterruptedException {
        context.unfit().ifPresent(why -> {
            throw StageFailure.ofHost(why, "no evaluation begins here");
        });
        context.progress(Progress.of(Stage.EVALUATE, clock.instant(), null, "measuring " + request.checkpoint()));
        EvaluatorProcess.Told told;
        try {
            told = new EvaluatorProcess(settings, home.cache(), folder.trainerLog())
                    .measure(
                            folder.preset(),
                            Staging.folder(home, request.dataset()),
                            folder.path().resolve(request.checkpoint()),
                            Staging.hellaSwag(folder.read())
                                    .map(file -> new EvaluatorProcess.Examples(file, answers(folder))),
                            context,
                            event -> hub.tell(folder.id(), new RunUpdate.Evaluated(event)));
        } catch (StageFailure e) {
            proveInputs(folder, request, context); // they may have been damaged since they were made
            throw e;
        }
        writeSamples(folder, told.samples());
        TrainingEvent.Validated measured = told.measured();
        return new EvaluationResult(
                request.checkpoint(),
                measured.step(),
                measured.loss(),
                measured.tokens(),
                told.samples().size(),
                Staging.manifest(home, request.dataset()).validationIdentity(),
                told.hellaSwag().map(TrainingEvent.HellaSwag::accuracy).orElse(null),
                told.hellaSwag().map(TrainingEvent.HellaSwag::examples).orElse(null));
    }

    /** What was chosen for each of HellaSwag's examples, one JSON object a line. */
    private static Path answers(RunFolder folder) {
        return folder.path().resolve("hellaswag.jsonl");
    }

    /** Digest of the checkpoint's weights, as its manifest says. */
    private static String weights(RunFolder folder, EvaluationRequest request) throws IOException {
        try {
            return Checkpoint.open(folder.path().resolve(request.checkpoint())).manifest().files().stream()
                    .filter(file -> file.name().equals(Checkpoint.WEIGHTS))
                    .map(FileFacts::sha256)
                    .findFirst()
                    .orElseThrow();
        } catch (InvalidFileException e) {
            throw damaged(e);
        }
    }

    private static DamagedDataException damaged(InvalidFileException e) {
        return new DamagedDataException(
                e.getMessage() + "; the run, or resuming it, trains on from the checkpoint before it", Stage.TRAIN);
    }

    private void proveInputs(RunFolder folder, EvaluationRequest request, StageContext context)
            throws IOException, InterruptedException {
        Staging.prove(home, request.dataset(), (bytes, all) -> context.check());
        try {
            Checkpoint.openSound(folder.path().resolve(request.checkpoint()));
        } catch (InvalidFileException e) {
            throw damaged(e);
        }
    }

    private static void writeSamples(RunFolder folder, List<TrainingEvent.Sampled> samples) throws IOException {
        Files.createDirectories(folder.samples());
        for (int i = 0; i < samples.size(); i++) {
            byte[] text = samples.get(i).text().getBytes(StandardCharsets.UTF_8);
            folder.writeProduct(sample(folder, i + 1), out -> out.write(text));
        }
    }

    private static Path sample(RunFolder folder, int number) {
        return folder.samples().resolve("final-" + number + ".txt");
    }
}
