package pacer.workflows;

import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Workflow;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.Preparation;
import pacer.activities.run.Progress;
import pacer.workflows.PreparationProgress.Step;

/** What the workflow knows of a preparation, for the query and for its page in the Temporal UI. */
final class PreparationLedger {
    private final List<Step> steps = new ArrayList<>();
    private Preparation preparation;
    private String ending;
    private long begun; // milliseconds, of the step at work
    private int all;
    private int done;
    private long allBytes;
    private long doneBytes;

    void found(Preparation what) {
        preparation = what;
        show();
    }

    /** Runs a step and keeps account of it. */
    <T> T step(String name, Supplier<T> work) {
        return step(name, 0, 0, work);
    }

    /** The same of a step of {@code count} parts of {@code bytes} together; each calls {@link #partDone}. */
    <T> T step(String name, int count, long bytes, Supplier<T> work) {
        begun = Workflow.currentTimeMillis();
        all = count;
        allBytes = bytes;
        done = 0;
        doneBytes = 0;
        steps.add(at(name, "running", null));
        show();
        try {
            T result = work.get();
            end("done");
            return result;
        } catch (TemporalFailure e) {
            end(e instanceof CanceledFailure || e.getCause() instanceof CanceledFailure ? "stopped" : "failed");
            throw e;
        }
    }

    void partDone(long bytes) {
        done++;
        doneBytes += bytes;
        put(at(steps.getLast().name(), "running", null));
    }

    void advanced(Progress progress) {
        // a signal may arrive after its step
        if (!steps.isEmpty() && steps.getLast().state().equals("running") && all == 0) {
            put(at(steps.getLast().name(), "running", progress));
        }
    }

    void finished(DatasetResult result) {
        ending = result.summary();
        show();
    }

    private void end(String state) {
        Step last = steps.getLast();
        put(new Step(
                last.name(),
                state,
                done,
                all,
                last.megabytesPerSecond(),
                null,
                null,
                all == 0 ? null : counted(last.megabytesPerSecond(), null)));
    }

    private Step at(String name, String state, Progress progress) {
        double seconds = (Workflow.currentTimeMillis() - begun) / 1e3;
        Double speed = doneBytes > 0 && seconds > 0 ? doneBytes / 1e6 / seconds : null;
        Double left = speed == null || allBytes == 0 ? null : (allBytes - doneBytes) / 1e6 / speed;
        Double fraction = progress != null
                ? progress.fraction()
                : all == 0 ? null : allBytes > 0 ? (double) doneBytes / allBytes : (double) done / all;
        String text = progress != null ? progress.text() : all == 0 ? null : counted(speed, left);
        return new Step(name, state, done, all, speed, left, fraction, text);
    }

    private String counted(Double speed, Double left) {
        return "%d of %d".formatted(done, all)
                + (speed == null ? "" : String.format(Locale.ROOT, ", %.1f MB/s", speed))
                + (left == null ? "" : ", " + RunDetails.shown(left) + " left");
    }

    private void put(Step step) {
        steps.set(steps.size() - 1, step);
        show();
    }

    PreparationProgress progress() {
        return new PreparationProgress(preparation == null ? null : preparation.hash(), List.copyOf(steps));
    }

    private void show() {
        StringBuilder page = new StringBuilder();
        if (preparation != null) {
            page.append("**dataset ").append(preparation.hash()).append("**: ");
            page.append(RunDetails.cell(preparation.dataset().url())).append("\n\n");
        }
        page.append("| step%s | state%s | |\n|---|---|---|\n".formatted(RunDetails.GAP, RunDetails.GAP));
        for (Step step : steps) {
            page.append("| %s%s | %s%s | %s |\n"
                    .formatted(
                            step.name(),
                            RunDetails.GAP,
                            RunDetails.state(step.state(), false),
                            RunDetails.GAP,
                            RunDetails.cell(step.text())));
        }
        if (ending != null) {
            page.append("\n**").append(RunDetails.cell(ending)).append("**\n");
        }
        Workflow.setCurrentDetails(page.toString());
    }
}
