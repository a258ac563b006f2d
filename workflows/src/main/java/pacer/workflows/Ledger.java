package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Workflow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import pacer.activities.notification.RunNotice;
import pacer.activities.run.Progress;
import pacer.activities.run.RunPlan;
import pacer.activities.run.RunRequest;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageResult;
import pacer.workflows.PipelineProgress.StageLine;

/** What the workflow knows of its own progress, for the query and for the run's page in the Temporal UI. */
final class Ledger {
    private static final String RUNNING = "running";
    private static final int LOSSES_TOLD = 5;
    private static final String TRACKED = "tracked"; // in the memo of an execution that another one goes on from

    private final List<StageLine> stages = new ArrayList<>();
    private final Map<String, String> links = new LinkedHashMap<>();
    private final LossPoints.Collector curve = new LossPoints.Collector();
    private RunPlan plan;
    private String note;
    private Progress now;
    private Double validationLoss;
    private boolean paused;
    private long pausedAt; // milliseconds
    private long pausedFor; // milliseconds, of the pauses that are over
    private String ending;
    private PipelineResult result; // null until it is judged
    private String notice; // null where the end is like any other

    /** Begins; {@code why} is the note of whoever started the run, or null. */
    void opened(RunPlan run, String why) {
        plan = run;
        note = why;
        if (run.page() != null) {
            links.putAll(run.page().links());
        }
        if (isContinued() && Workflow.getMemo(TRACKED, String.class) instanceof String page) {
            tracked(page);
        }
        if (isSearchable()) {
            Workflow.upsertTypedSearchAttributes(SearchAttributes.PRESET.valueSet(run.preset()));
            if (run.page().commit() != null) {
                Workflow.upsertTypedSearchAttributes(
                        SearchAttributes.COMMIT.valueSet(run.page().commit()));
            }
        }
        show();
    }

    /** Whether this execution goes on where the history of another one had become long. */
    static boolean isContinued() {
        return Workflow.getInfo().getContinuedExecutionRunId().isPresent();
    }

    /** The request of an execution that goes on with the run; what is only known here is in the memo, which it gets. */
    RunRequest goesOn() {
        String page = links.get(RunLinks.MLFLOW_RUN);
        if (page != null) {
            Workflow.upsertMemo(Map.of(TRACKED, page));
        }
        return new RunRequest(null, null, null, note, plan.run()).on(plan.host());
    }

    /** Takes the address of the run's own page in MLflow, in place of that which shows all runs. */
    void tracked(String page) {
        if (page != null && RunLinks.isPage(page)) {
            links.remove(RunLinks.MLFLOW);
            links.put(RunLinks.MLFLOW_RUN, page);
            if (plan != null) {
                show();
            }
        }
    }

    /** Attributes that a service does not know must not be set. */
    private boolean isSearchable() {
        return plan.page() != null && plan.page().searchable();
    }

    RunPlan plan() {
        return plan;
    }

    /** Whether the stage {@code stage} is at work. */
    boolean isAt(Stage stage) {
        return !stages.isEmpty()
                && stages.getLast().stage() == stage
                && stages.getLast().state().equals(RUNNING);
    }

    /** Whether nothing after training was begun. */
    boolean isBeforeEndOfTraining() {
        return plan != null
                && (stages.isEmpty() || stages.getLast().stage().compareTo(Stage.TRAIN) < 0 || isAt(Stage.TRAIN));
    }

    /** The newest of the stage at work; null when it has said nothing yet. */
    Progress now() {
        return now;
    }

    /** Whether any attempt at training told of a step. */
    boolean hasTakenStep() {
        return !curve.points().points().isEmpty() || (now != null && now.step() != null && now.step() > 0);
    }

    LossPoints curve() {
        return curve.points();
    }

    void pausing(boolean begins) {
        long time = Workflow.currentTimeMillis();
        if (begins) {
            pausedAt = time;
        } else {
            pausedFor += time - pausedAt;
        }
        paused = begins;
        show();
    }

    /** Runs a stage and keeps account of it. */
    <T extends StageResult> T stage(Stage stage, Supplier<T> work) {
        now = null;
        long begun = worked();
        put(new StageLine(stage, RUNNING, null, null));
        if (isSearchable()) {
            Workflow.upsertTypedSearchAttributes(SearchAttributes.STAGE.valueSet(stage.label()));
        }
        try {
            T result = work.get();
            put(new StageLine(stage, "done", result.summary(), since(begun)));
            return result;
        } catch (ActivityFailure e) {
            put(new StageLine(stage, Steering.endedOnRequest(e) ? "stopped" : "failed", null, since(begun)));
            throw e;
        } catch (CanceledFailure e) { // while it was paused
            paused = false;
            put(new StageLine(stage, "stopped", null, since(begun)));
            throw e;
        } catch (ApplicationFailure e) { // nobody began it
            put(new StageLine(stage, "failed", null, since(begun)));
            throw e;
        }
    }

    /** Milliseconds without those of pauses, from anywhere. */
    private long worked() {
        long time = Workflow.currentTimeMillis();
        return time - pausedFor - (paused ? time - pausedAt : 0);
    }

    private double since(long begun) {
        return (worked() - begun) / 1e3;
    }

    void advanced(Progress progress) {
        // a signal may arrive after its stage
        if (progress != null && !stages.isEmpty() && stages.getLast().stage() == progress.stage()) {
            now = progress;
            curve.add(progress);
            if (progress.validationLoss() != null && !progress.validationLoss().equals(validationLoss)) {
                validationLoss = progress.validationLoss();
                tellSearch();
            }
            show();
        }
    }

    /** As seldom as there are validations: each time is an event of the history. */
    private void tellSearch() {
        // people may send the signal too, with fields left out
        if (isSearchable() && Double.isFinite(validationLoss) && now.step() != null) {
            Workflow.upsertTypedSearchAttributes(
                    SearchAttributes.VALIDATION_LOSS.valueSet(validationLoss),
                    SearchAttributes.STEP.valueSet((long) now.step()));
        }
    }

    /** What a finished run came to. */
    void judged(PipelineResult came) {
        result = came;
        if (plan.page() == null) {
            return; // a history of before there was more to say
        }
        if (isSearchable()) {
            validationLoss = result.evaluation().validationLoss();
            now = null;
            if (Double.isFinite(validationLoss)) {
                Workflow.upsertTypedSearchAttributes(SearchAttributes.VALIDATION_LOSS.valueSet(validationLoss));
            }
            Workflow.upsertTypedSearchAttributes(
                    SearchAttributes.STEP.valueSet((long) result.training().steps()));
        }
        Boolean passed = result.verdict().passed();
        remember(
                passed == null ? "none" : passed ? "passed" : "missed",
                result.verdict().text());
    }

    /** Current details are gone once no worker answers; these last. */
    private void remember(String verdict, String text) {
        if (isSearchable()) {
            Workflow.upsertTypedSearchAttributes(SearchAttributes.VERDICT.valueSet(verdict));
        }
        Workflow.upsertMemo(Map.of("run", plan.run(), "verdict", text));
    }

    /** Takes what the end of a run whose stages are done waits for. */
    void waiting(String text) {
        notice = text;
        show();
    }

    void closed(RunStatus status, String reason) {
        if (plan.page() != null && status != RunStatus.FINISHED) {
            remember(status.name().toLowerCase(Locale.ROOT), reason);
        }
        ending = status.name().toLowerCase(Locale.ROOT) + (reason == null ? "" : ": " + reason);
        notice = status == RunStatus.FINISHED && reason != null ? ending : null;
        now = null;
        show();
    }

    /** What is known here of a run that ended so, and whose record is out of reach. */
    RunNotice notice(RunStatus status, String reason) {
        List<RunNotice.Loss> losses = new ArrayList<>();
        for (LossPoints.Point point : curve.points().points()) {
            Double loss = point.validationLoss();
            if (loss != null && (losses.isEmpty() || losses.getLast().loss() != loss)) {
                losses.add(new RunNotice.Loss(point.step(), loss));
            }
        }
        List<RunNotice.Loss> last = losses.subList(Math.max(0, losses.size() - LOSSES_TOLD), losses.size());
        return new RunNotice(plan.run(), plan.preset(), status, reason, last, links);
    }

    PipelineProgress progress() {
        return new PipelineProgress(
                plan == null ? null : plan.run(),
                List.copyOf(stages),
                paused && now != null ? now.atRest() : now,
                paused,
                Map.copyOf(links),
                notice,
                result,
                plan == null ? null : plan.host());
    }

    private void put(StageLine line) {
        stages.removeIf(s -> s.stage() == line.stage());
        stages.add(line);
        show();
    }

    private void show() {
        Workflow.setCurrentDetails(details());
    }

    private String details() {
        RunDetails.Pause pause = paused
                ? new RunDetails.Pause(
                        Instant.ofEpochMilli(pausedAt), Workflow.getInfo().getWorkflowId())
                : null;
        return RunDetails.markdown(plan, note, links, stages, now, pause, notice != null ? notice : ending);
    }
}
