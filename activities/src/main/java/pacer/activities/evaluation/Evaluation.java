package pacer.activities.evaluation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import pacer.activities.process.Child;
import pacer.activities.process.ChildGroup;
import pacer.activities.process.TrainerExit;
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
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Sha256;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecHash;
import pacer.trainer.spec.SpecLoader;

/**
 * Measures a checkpoint in a process of its own: {@code pacer.trainer.Evaluator --spec FILE --data DIR --checkpoint DIR}
 * writes one {@code validated} event and the spec's number of {@code sampled} ones to its standard output; standard input and
 * exit codes are a trainer's. The texts go to {@code samples/final-1.txt} and on.
 */
public final class Evaluation {
    private static final int LAST_WORDS = 5;

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

    /** Evaluates, or takes the result of an earlier evaluation of the same checkpoint. */
    public EvaluationResult evaluate(EvaluationRequest request, StageContext context)
            throws IOException, InterruptedException {
        RunFolder folder = home.run(request.run());
        RunSpec spec = SpecLoader.read(folder.preset());
        String key = Sha256.ofParts("evaluate", SpecHash.of(spec), request.dataset(), request.checkpoint());
        return log.run(
                request.run(),
                Stage.EVALUATE,
                key,
                EvaluationResult.class,
                earlier -> earlier.samples() == 0 || Files.exists(sample(folder, earlier.samples())),
                () -> measure(folder, request, context));
    }

    private EvaluationResult measure(RunFolder folder, EvaluationRequest request, StageContext context)
            throws IOException, InterruptedException {
        List<TrainingEvent> events = new CopyOnWriteArrayList<>();
        context.progress(Progress.of(Stage.EVALUATE, clock.instant(), null, "measuring " + request.checkpoint()));
        Child child = Child.start(
                settings.java().line(settings.evaluator(), arguments(folder, request)),
                Map.of(),
                folder.trainerLog(),
                line -> hear(folder, line, events));
        ChildGroup.End end = new ChildGroup(List.of(child), settings.grace()).await(context, () -> false);
        TrainingEvent.Validated measured = events.stream()
                .filter(TrainingEvent.Validated.class::isInstance)
                .map(TrainingEvent.Validated.class::cast)
                .findFirst()
                .orElse(null);
        if (end.code() != 0 || measured == null) {
            context.check();
            throw failure(end.code(), child, events);
        }
        int samples = writeSamples(folder, events);
        return new EvaluationResult(request.checkpoint(), measured.step(), measured.loss(), measured.tokens(), samples);
    }

    private List<String> arguments(RunFolder folder, EvaluationRequest request) {
        return List.of(
                "--spec", folder.preset().toString(),
                "--data", Staging.folder(home, request.dataset()).toString(),
                "--cache", home.cache().toString(),
                "--checkpoint", folder.path().resolve(request.checkpoint()).toString());
    }

    private void hear(RunFolder folder, String line, List<TrainingEvent> events) {
        try {
            TrainingEvent event = EventLog.parse(line);
            events.add(event);
            hub.tell(folder.id(), new RunUpdate.Evaluated(event));
        } catch (IOException e) {
            return; // a library printing
        }
    }

    private static StageFailure failure(int code, Child child, List<TrainingEvent> events) {
        List<String> reasons = new ArrayList<>();
        for (TrainingEvent event : events) {
            if (event instanceof TrainingEvent.Failed failed) {
                reasons.add(failed.reason());
            }
        }
        if (reasons.isEmpty()) {
            reasons.addAll(child.lastWords(LAST_WORDS));
        }
        TrainerExit exit = TrainerExit.of(code);
        String how = exit == TrainerExit.FINISHED ? "told no validation loss" : exit.said(code);
        return new StageFailure(
                "the evaluator " + how + (reasons.isEmpty() ? "" : ": " + String.join(" | ", reasons)),
                exit != TrainerExit.BAD_INPUT);
    }

    private static int writeSamples(RunFolder folder, List<TrainingEvent> events) throws IOException {
        Files.createDirectories(folder.samples());
        int number = 0;
        for (TrainingEvent event : events) {
            if (event instanceof TrainingEvent.Sampled sampled) {
                number++;
                DurableFiles.write(sample(folder, number), sampled.text().getBytes(StandardCharsets.UTF_8));
            }
        }
        return number;
    }

    private static Path sample(RunFolder folder, int number) {
        return folder.samples().resolve("final-" + number + ".txt");
    }
}
