package pacer.activities.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Small runs for tests: 30 steps on a text of a few lines. */
public final class TestRuns {
    public static final Environment MACHINE =
            new Environment("host", "cpu", 2, 1L << 30, "os", "jvm", "0", null, false);

    private TestRuns() {}

    /** A home in {@code folder}. */
    public static Home home(Path folder) {
        return new Home(folder.resolve("runs"), folder.resolve("cache"));
    }

    /** A text of about {@code kilobytes}. */
    public static Path text(Path file, int kilobytes) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; text.length() < kilobytes * 1000; i++) {
            text.append("Line ").append(i * 7919 % 1000).append(" of a text that repeats itself a little.\n");
        }
        return Files.writeString(file, text);
    }

    /** Settings that make the preset quickstart small, on {@code text}. */
    public static Map<String, Object> overrides(Path text, Object... more) {
        Map<String, Object> overrides = new HashMap<>(Map.of(
                "dataset.url", "file:" + text.toAbsolutePath(),
                "dataset.sha256", "''",
                "train.steps", 30,
                "schedule.warmupSteps", 5,
                "checkpoint.everySteps", 10));
        for (int i = 0; i < more.length; i += 2) {
            overrides.put((String) more[i], more[i + 1]);
        }
        return overrides;
    }

    /** Opens a run of those settings. */
    public static RunPlan open(Home home, RunHub hub, Path text, Object... more) throws IOException {
        return runs(home, hub)
                .open(
                        new RunRequest("quickstart", overrides(text, more), List.of(), null, null),
                        "workflow-" + UUID.randomUUID());
    }

    public static Runs runs(Home home, RunHub hub) {
        return new Runs(
                home,
                hub,
                Clock.systemUTC(),
                () -> MACHINE,
                folder -> Files.writeString(folder.resolve("report.html"), "<p>"));
    }

    /** Records that a stage of {@code folder}'s run is done, or at work where there is no {@code result}. */
    public static void stage(RunFolder folder, Stage stage, StageResult result) throws IOException {
        Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        StageRecord.Status status = result == null ? StageRecord.Status.RUNNING : StageRecord.Status.DONE;
        folder.update(r -> r.withStage(new StageRecord(
                stage, status, "key", now, now, 1, 1, false, null, RunJson.MAPPER.valueToTree(result))));
    }

    /** Records that {@code folder}'s run is at work again. */
    public static void begun(RunFolder folder, String workflow) throws IOException {
        folder.update(r -> r.begun(workflow, MACHINE));
    }
}
