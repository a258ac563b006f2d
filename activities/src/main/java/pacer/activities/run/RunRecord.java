package pacer.activities.run;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * {@code run.json}: what a run is and how it stands.
 *
 * @param specHash SHA-256 of the canonical text of the spec as it was asked for, threads filled in; finds the run again
 * @param workflowId the Temporal workflow that last worked on it
 * @param failure why it ended before it was done, in one line; null otherwise
 * @param environment of the process that opened it last; not always where it was trained
 * @param verdict null until it is finished
 * @param lastStep where training ends since somebody extended or ended it; null: where the spec says
 * @param budget after which it is stopped; null for none
 * @param trainedOn where the training that led to the newest weights was done, in order; empty before and for old runs
 */
public record RunRecord(
        String id,
        String preset,
        String specHash,
        String note,
        RunStatus status,
        Instant created,
        Instant finished,
        String workflowId,
        Environment environment,
        List<StageRecord> stages,
        Verdict verdict,
        String failure,
        List<TrainedOn> trainedOn,
        Integer lastStep,
        Budget budget) {

    public RunRecord {
        stages = stages == null ? List.of() : List.copyOf(stages);
        trainedOn = trainedOn == null ? List.of() : List.copyOf(trainedOn);
    }

    /** A run of which nothing was trained yet. */
    public RunRecord(
            String id,
            String preset,
            String specHash,
            String note,
            RunStatus status,
            Instant created,
            Instant finished,
            String workflowId,
            Environment environment,
            List<StageRecord> stages,
            Verdict verdict,
            String failure) {
        this(
                id,
                preset,
                specHash,
                note,
                status,
                created,
                finished,
                workflowId,
                environment,
                stages,
                verdict,
                failure,
                List.of(),
                null,
                null);
    }

    /** Where it was trained last or, before that, opened. */
    public Environment trainedIn() {
        return trainedOn.isEmpty() ? environment : trainedOn.getLast().environment();
    }

    /** This record with training going on in {@code here}. What was trained beyond {@code fromStep} before is lost, and so is where. */
    public RunRecord trainingIn(Environment here, int fromStep, Instant now) {
        List<TrainedOn> all = new ArrayList<>(trainedOn);
        all.removeIf(t -> t.fromStep() >= fromStep);
        if (all.isEmpty() || !all.getLast().environment().equals(here)) {
            all.add(new TrainedOn(fromStep, now, here));
        }
        return with(parts -> parts.trainedOn = all);
    }

    /** What is known of a stage; empty when it was never begun. */
    public Optional<StageRecord> stage(Stage stage) {
        return stages.stream().filter(s -> s.stage() == stage).findFirst();
    }

    RunRecord withStage(StageRecord changed) {
        List<StageRecord> list = new ArrayList<>(stages);
        list.removeIf(s -> s.stage() == changed.stage());
        list.add(changed);
        list.sort((a, b) -> a.stage().compareTo(b.stage()));
        return with(parts -> parts.stages = list);
    }

    RunRecord begun(String workflow, Environment machine) {
        return with(parts -> {
            parts.status = RunStatus.RUNNING;
            parts.finished = null;
            parts.workflowId = workflow;
            parts.environment = machine;
            parts.verdict = null;
            parts.failure = null;
        });
    }

    RunRecord ended(RunStatus how, Instant time, Verdict judged, String reason) {
        return with(parts -> {
            parts.status = how;
            parts.finished = time;
            parts.verdict = judged;
            parts.failure = reason;
        });
    }

    /** This record with its verdict. */
    public RunRecord judged(Verdict judgement) {
        return with(parts -> parts.verdict = judgement);
    }

    /** This record with training to end at {@code step}. */
    RunRecord endingAt(int step) {
        return with(parts -> parts.lastStep = step);
    }

    /** This record within {@code most}. */
    RunRecord within(Budget most) {
        return with(parts -> parts.budget = most);
    }

    /** Seconds that its stages took, over all attempts. */
    public double secondsSpent() {
        return stages.stream().mapToDouble(StageRecord::seconds).sum();
    }

    /** Where training ends, of a spec with {@code steps}. */
    public int lastStep(int steps) {
        return lastStep == null ? steps : lastStep;
    }

    private RunRecord with(Consumer<Parts> change) {
        Parts parts = new Parts(this);
        change.accept(parts);
        return new RunRecord(
                id,
                preset,
                specHash,
                note,
                parts.status,
                created,
                parts.finished,
                parts.workflowId,
                parts.environment,
                parts.stages,
                parts.verdict,
                parts.failure,
                parts.trainedOn,
                parts.lastStep,
                parts.budget);
    }

    /** What changes in a run's life; the rest is as it was made. */
    private static final class Parts {
        private RunStatus status;
        private Instant finished;
        private String workflowId;
        private Environment environment;
        private List<StageRecord> stages;
        private Verdict verdict;
        private String failure;
        private List<TrainedOn> trainedOn;
        private Integer lastStep;
        private Budget budget;

        private Parts(RunRecord run) {
            status = run.status;
            finished = run.finished;
            workflowId = run.workflowId;
            environment = run.environment;
            stages = run.stages;
            verdict = run.verdict;
            failure = run.failure;
            trainedOn = run.trainedOn;
            lastStep = run.lastStep;
            budget = run.budget;
        }
    }
}
