package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import pacer.activities.run.Progress;
import pacer.activities.run.RunPlan;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageResult;
import pacer.workflows.PipelineProgress.StageLine;

/** What the workflow knows of its own progress, for the query and for the run's page in the Temporal UI. */
final class Ledger {
    private final List<StageLine> stages = new ArrayList<>();
    private RunPlan plan;
    private Progress now;
    private String ending;

    void opened(RunPlan opened) {
        plan = opened;
        show();
    }

    /** Runs a stage and keeps account of it. */
    <T extends StageResult> T stage(Stage stage, Supplier<T> work) {
        now = null;
        put(new StageLine(stage, "running", null));
        try {
            T result = work.get();
            put(new StageLine(stage, "done", result.summary()));
            return result;
        } catch (ActivityFailure e) {
            boolean stopped = e.getCause() instanceof CanceledFailure;
            put(new StageLine(stage, stopped ? "stopped" : "failed", null));
            throw e;
        }
    }

    void advanced(Progress progress) {
        // a signal may arrive after its stage
        if (!stages.isEmpty() && stages.getLast().stage() == progress.stage()) {
            now = progress;
            show();
        }
    }

    void closed(RunStatus status, String reason) {
        ending = status.name().toLowerCase(Locale.ROOT) + (reason == null ? "" : ": " + reason);
        now = null;
        show();
    }

    PipelineProgress progress() {
        return new PipelineProgress(plan == null ? null : plan.run(), List.copyOf(stages), now);
    }

    private void put(StageLine line) {
        stages.removeIf(s -> s.stage() == line.stage());
        stages.add(line);
        show();
    }

    private void show() {
        Workflow.setCurrentDetails(details());
    }

    /** A small Markdown table. */
    private String details() {
        StringBuilder page = new StringBuilder();
        page.append("**").append(plan.run()).append("**: ").append(plan.model()).append("\n\n");
        page.append("| stage | state | |\n|---|---|---|\n");
        for (StageLine line : stages) {
            String text = line.summary();
            if (text == null && now != null && now.stage() == line.stage()) {
                text = described(now);
            }
            page.append("| ").append(line.stage().label());
            page.append(" | ").append(line.state());
            page.append(" | ")
                    .append(text == null ? "" : text.replace("|", "\\|"))
                    .append(" |\n");
        }
        return ending == null
                ? page.toString()
                : page.append("\n").append(ending).toString();
    }

    static String described(Progress p) {
        if (p.step() == null) {
            return p.text();
        }
        List<String> parts = new ArrayList<>();
        parts.add("step %,d of %,d".formatted(p.step(), p.totalSteps() == null ? 0 : p.totalSteps()));
        if (p.doing() != null) {
            parts.add(p.doing());
        }
        if (p.loss() != null) {
            parts.add("loss %.4f".formatted(p.loss()));
        }
        if (p.validationLoss() != null) {
            parts.add("val loss %.4f".formatted(p.validationLoss()));
        }
        if (p.tokensPerSecond() != null) {
            parts.add("%,.0f tokens/s".formatted(p.tokensPerSecond()));
        }
        if (p.etaSeconds() != null) {
            parts.add(shown(Duration.ofSeconds(Math.round(p.etaSeconds()))) + " left");
        }
        return String.join(" · ", parts);
    }

    private static String shown(Duration time) {
        return time.toHours() > 0
                ? "%d h %02d min".formatted(time.toHours(), time.toMinutesPart())
                : "%d:%02d".formatted(time.toMinutes(), time.toSecondsPart());
    }
}
