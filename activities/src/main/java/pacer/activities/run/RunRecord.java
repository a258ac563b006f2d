package pacer.activities.run;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
        return new RunRecord(
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
                all,
                lastStep,
                budget);
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
        return new RunRecord(
                id,
                preset,
                specHash,
                note,
                status,
                created,
                finished,
                workflowId,
                environment,
                list,
                verdict,
                failure,
                trainedOn,
                lastStep,
                budget);
    }

    RunRecord begun(String workflow, Environment machine) {
        return new RunRecord(
                id,
                preset,
                specHash,
                note,
                RunStatus.RUNNING,
                created,
                null,
                workflow,
                machine,
                stages,
                null,
                null,
                trainedOn,
                lastStep,
                budget);
    }

    RunRecord ended(RunStatus how, Instant time, Verdict judged, String reason) {
        return new RunRecord(
                id,
                preset,
                specHash,
                note,
                how,
                created,
                time,
                workflowId,
                environment,
                stages,
                judged,
                reason,
                trainedOn,
                lastStep,
                budget);
    }

    /** This record with its verdict. */
    public RunRecord judged(Verdict judgement) {
        return new RunRecord(
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
                judgement,
                failure,
                trainedOn,
                lastStep,
                budget);
    }

    /** This record with training to end at {@code step}. */
    RunRecord endingAt(int step) {
        return new RunRecord(
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
                trainedOn,
                step,
                budget);
    }

    /** This record within {@code most}. */
    RunRecord within(Budget most) {
        return new RunRecord(
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
                trainedOn,
                lastStep,
                most);
    }

    /** Seconds that its stages took, over all attempts. */
    public double secondsSpent() {
        return stages.stream().mapToDouble(StageRecord::seconds).sum();
    }

    /** Where training ends, of a spec with {@code steps}. */
    public int lastStep(int steps) {
        return lastStep == null ? steps : lastStep;
    }
}
