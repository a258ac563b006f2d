package pacer.activities.record;

import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RecordRequest;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunId;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Slots;
import pacer.activities.run.SpecRequest;
import pacer.activities.run.Stage;
import pacer.activities.training.TrainingResult;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Host;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.RunSpec;

/** Record attempts on this host: settled before their first run, and written down in a folder beside the runs'. */
public final class Records {
    private static final int RUNS = 5;
    private static final int MOST_RUNS = 1000;

    private final Home home;
    private final Slots slots;

    /** @param slots for who does not say how many runs work at a time */
    public Records(Home home, Slots slots) {
        this.home = home;
        this.slots = slots;
    }

    /**
     * Settles an attempt.
     *
     * @param workflow that asks; names the attempt
     * @throws BadInputException with all faults
     */
    public RecordPlan open(RecordRequest request, String workflow) throws IOException {
        if (request == null) {
            throw new BadInputException("preset: missing; give a preset's name, {\"preset\": \"quickstart\"}");
        }
        List<String> faults = new ArrayList<>(request.faults());
        RunSpec spec = null;
        if (faults.isEmpty()) {
            spec = SpecRequest.resolve(request.run());
            if (request.budget() != null) {
                request.budget().require(spec.cost().dollarsPerHour());
            }
        }
        int runs = request.runs() == null ? RUNS : request.runs();
        if (runs < 2 || runs > MOST_RUNS) {
            faults.add("runs: %d, must be from 2 to %d, as one run proves nothing".formatted(runs, MOST_RUNS));
        }
        int parallel = request.parallel() == null ? slots.count() : request.parallel();
        if (parallel < 1) {
            faults.add("parallel: %d, must be 1 or more".formatted(parallel));
        }
        List<Integer> looks = request.looks().isEmpty() ? List.of(runs) : request.looks();
        if (!ascending(looks) || looks.getFirst() < 2 || looks.getLast() != runs) {
            faults.add("looks: %s, must ascend from 2 or more to the number of runs, %d".formatted(looks, runs));
        }
        Double target = request.target();
        if (target == null && spec != null && spec.expectation().validationLoss() > 0) {
            target = spec.expectation().validationLoss();
        }
        if (spec != null && (target == null || !(target > 0))) {
            faults.add("target: %s, must be the validation loss to reach, above 0; %s expects none by itself"
                    .formatted(target == null ? "missing" : target, spec.name()));
        }
        if (!faults.isEmpty()) {
            throw new BadInputException(String.join("\n", faults));
        }
        long first = request.seed() == null ? spec.seed() : request.seed();
        return new RecordPlan(
                RunId.ofWorkflow(workflow, "record"),
                Host.name(),
                request,
                spec.name(),
                target,
                LongStream.range(first, first + runs).boxed().toList(),
                looks,
                parallel,
                spec.cost().dollarsPerHour(),
                spec.expectation().referenceLoss(),
                spec.expectation().source());
    }

    private static boolean ascending(List<Integer> numbers) {
        for (int i = 1; i < numbers.size(); i++) {
            if (numbers.get(i) <= numbers.get(i - 1)) {
                return false;
            }
        }
        return true;
    }

    /**
     * What a run proves.
     *
     * @throws BadInputException when it is not finished
     */
    public RecordRun read(String id, long seed) throws IOException {
        RunFolder folder = home.run(id);
        RunRecord run = folder.read();
        if (run.status() != RunStatus.FINISHED) {
            throw new BadInputException("run " + id + " is not finished: it proves nothing");
        }
        EvaluationResult evaluated = run.stage(Stage.EVALUATE).orElseThrow().resultAs(EvaluationResult.class);
        TrainingResult trained = run.stage(Stage.TRAIN).orElseThrow().resultAs(TrainingResult.class);
        DatasetResult dataset = run.stage(Stage.DATASET).orElseThrow().resultAs(DatasetResult.class);
        return new RecordRun(
                id,
                seed,
                run.specHash(),
                evaluated.validationLoss(),
                evaluated.tokens(),
                trained.steps(),
                trained.seconds(),
                run.stage(Stage.TRAIN).orElseThrow().seconds(),
                run.secondsSpent(),
                trained.tokensPerSecond(),
                run.trainedIn(),
                dataset.hash(),
                dataset.rawSha256(),
                Sha256.of(folder.events(), _ -> {}));
    }

    /**
     * Writes {@code record.json} and {@code record.md}, and beside them the spec and the logs of those runs that are on this host. Doing it again comes to the same.
     *
     * @return the folder
     */
    public Path write(RecordResult result) throws IOException {
        Path folder = home.runs().resolve(RunId.check(result.plan().id()));
        Path logs = Files.createDirectories(folder.resolve("logs"));
        for (RecordRun run : result.runs()) {
            RunFolder there = home.run(run.run());
            if (there.exists()) {
                Files.copy(there.events(), logs.resolve(run.run() + ".jsonl"), StandardCopyOption.REPLACE_EXISTING);
                DurableFiles.write(folder.resolve("preset.yaml"), Files.readAllBytes(there.preset()));
            }
        }
        DurableFiles.write(
                folder.resolve("record.json"),
                RunJson.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(result));
        DurableFiles.write(
                folder.resolve("record.md"), RecordPage.markdown(result).getBytes(StandardCharsets.UTF_8));
        return folder;
    }
}
