package pacer.activities.publishing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.activities.run.Runs;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;
import pacer.activities.run.Verdict;
import pacer.trainer.durable.Sha256;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.ExpectationSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;

/** Writes what a run leaves for people: metrics, samples, verdict, report. */
public final class Publishing {
    private final Home home;
    private final StageLog log;
    private final Clock clock;
    private final Runs.Report report;

    public Publishing(Home home, StageLog log, Clock clock, Runs.Report report) {
        this.home = home;
        this.log = log;
        this.clock = clock;
        this.report = report;
    }

    /** Publishes anew each time: everything is made from the run's own records, at once. */
    public PublishingResult publish(PublishingRequest request, StageContext context)
            throws IOException, InterruptedException {
        RunFolder folder = home.run(request.run());
        String key = Sha256.ofParts("publish", request.run());
        return log.run(
                request.run(),
                Stage.PUBLISH,
                key,
                PublishingResult.class,
                _ -> false,
                context,
                () -> write(folder, context));
    }

    private PublishingResult write(RunFolder folder, StageContext context) throws IOException {
        context.progress(Progress.of(Stage.PUBLISH, clock.instant(), null, "writing metrics, samples and report"));
        RunRecord record = folder.read();
        EvaluationResult measured = record.stage(Stage.EVALUATE)
                .map(stage -> stage.resultAs(EvaluationResult.class))
                .orElseThrow(() -> new IOException(folder.recordFile() + ": the stage evaluate has no result"));
        RunSpec spec = SpecLoader.read(folder.preset());
        Verdict verdict = verdict(spec, record, measured.validationLoss());
        folder.update(r -> r.judged(verdict));
        RunHistory history = RunHistory.read(folder.events(), context::notice);
        List<String> files = new ArrayList<>();
        folder.writeProduct(folder.metrics(), out -> MetricsTable.write(folder.events(), history.validations(), out));
        files.add(name(folder, folder.metrics()));
        files.addAll(write(folder, history.samples()));
        report.write(folder.path());
        files.add(name(folder, folder.report()));
        return new PublishingResult(verdict, files.size() > 20 ? files.subList(0, 20) : files);
    }

    /** Samples of the training: {@code samples/step-000500-1.txt}. */
    private static List<String> write(RunFolder folder, List<TrainingEvent.Sampled> samples) throws IOException {
        Files.createDirectories(folder.samples());
        List<String> names = new ArrayList<>();
        Map<Integer, Integer> numbers = new HashMap<>();
        for (TrainingEvent.Sampled sample : samples) {
            int number = numbers.merge(sample.step(), 1, Integer::sum);
            Path file = folder.samples().resolve("step-%06d-%d.txt".formatted(sample.step(), number));
            byte[] text = sample.text().getBytes(StandardCharsets.UTF_8);
            folder.writeProduct(file, out -> out.write(text));
            names.add(name(folder, file));
        }
        return names;
    }

    private static Verdict verdict(RunSpec spec, RunRecord record, double loss) {
        int planned = spec.train().steps();
        int last = record.lastStep(planned);
        // what it would have reached where it was to end, nobody knows
        return last == planned
                ? verdict(spec.expectation(), loss)
                : new Verdict(
                        null,
                        loss,
                        null,
                        "val loss %.4f; no expectation: training ended at step %,d, planned were %,d"
                                .formatted(loss, last, planned));
    }

    static Verdict verdict(ExpectationSpec expectation, double loss) {
        if (expectation.validationLoss() == 0) {
            String why = expectation.lapse() == null ? "" : "; " + expectation.lapse();
            return new Verdict(null, loss, null, "val loss %.4f%s".formatted(loss, why));
        }
        double expected = expectation.validationLoss();
        boolean passed = loss <= expected; // NaN does not pass
        return new Verdict(
                passed,
                loss,
                expected,
                passed
                        ? "passed: val loss %.4f, expected at most %.4f".formatted(loss, expected)
                        : "missed: val loss %.4f, expected at most %.4f".formatted(loss, expected));
    }

    private static String name(RunFolder folder, Path file) {
        return folder.path().relativize(file).toString();
    }
}
