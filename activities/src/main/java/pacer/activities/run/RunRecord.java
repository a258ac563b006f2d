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
 * @param verdict null until it is finished
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
        String failure) {

    public RunRecord {
        stages = stages == null ? List.of() : List.copyOf(stages);
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
                id, preset, specHash, note, status, created, finished, workflowId, environment, list, verdict, failure);
    }

    RunRecord begun(String workflow, Environment machine) {
        return new RunRecord(
                id, preset, specHash, note, RunStatus.RUNNING, created, null, workflow, machine, stages, null, null);
    }

    RunRecord ended(RunStatus how, Instant time, Verdict judged, String reason) {
        return new RunRecord(
                id, preset, specHash, note, how, created, time, workflowId, environment, stages, judged, reason);
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
                failure);
    }
}
