package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.api.history.v1.WorkflowExecutionStartedEventAttributes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.SweepRequest;
import pacer.activities.run.TestRuns;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepResult;
import pacer.activities.sweep.SweepRun;
import pacer.activities.sweep.Sweeps;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/**
 * Sweeps on the service inside this process, their runs on trainers that only keep to the protocol: what a run loses grows with its learning
 * rate, by {@code slope}, and with its seed, by {@code scatter}.
 */
@Timeout(300)
class SweepTest {
    private static final String RATE = "optimizer.learningRate";

    @TempDir
    private Path folder;

    private Home home;
    private Path text;
    private final List<String> told = new ArrayList<>();

    @BeforeEach
    void prepare() throws Exception {
        home = TestRuns.home(folder);
        text = TestRuns.text(folder.resolve("text.txt"), 20);
    }

    private SweepRequest request(Integer seeds, Integer stopEarly, String... rates) throws IOException {
        return SweepRequest.of(
                TestPipelines.layers(text).trial("a test", null),
                Map.of(RATE, List.of(rates)),
                List.of(),
                seeds,
                1,
                stopEarly);
    }

    /** What is done with a sweep that has begun. */
    private interface Then {
        void act(SweepHandle sweep) throws Exception;
    }

    private Outcome<SweepResult> sweep(
            Policies policies, String history, SweepRequest request, Then then, String... properties) throws Exception {
        return with(
                policies,
                history,
                pipeline -> pipeline.sweep(request, TestPipelines.layers(text).spec()),
                then,
                properties);
    }

    private Outcome<SweepResult> sweep(SweepRequest request, String... properties) throws Exception {
        return sweep(Policies.standard(), null, request, _ -> {}, properties);
    }

    private Outcome<SweepResult> resume(String id, String... properties) throws Exception {
        return with(Policies.standard(), null, pipeline -> pipeline.resumeSweep(id, null, null), _ -> {}, properties);
    }

    private interface Start {
        SweepHandle start(Pipeline pipeline) throws IOException;
    }

    private Outcome<SweepResult> with(Policies policies, String history, Start start, Then then, String... properties)
            throws Exception {
        try (TemporalConnection connection = TemporalConnection.open(TemporalAddress.embedded());
                Pipeline pipeline = Pipeline.with(
                        home,
                        connection,
                        TestPipelines.settings(home, policies, properties),
                        EnumSet.allOf(ServiceWorker.Role.class))) {
            SweepHandle sweep = start.start(pipeline);
            then.act(sweep);
            Outcome<SweepResult> outcome = sweep.follow(new Listener());
            if (history != null) {
                SaveHistories.keep(history, connection, sweep.id());
            }
            WorkflowExecutionStartedEventAttributes started = connection
                    .client()
                    .fetchHistory(sweep.id())
                    .getHistory()
                    .getEvents(0)
                    .getWorkflowExecutionStartedEventAttributes();
            told.add(started.getContinuedExecutionRunId().isEmpty() ? "one execution" : "several executions");
            return outcome;
        }
    }

    private final class Listener implements SweepHandle.Listener {
        @Override
        public void settled(SweepPlan plan, List<SweepRun> before) {
            told.add("settled after " + before.size());
        }

        @Override
        public void began(String run) {
            told.add("began " + run.replaceFirst(".*-(p\\d+-s\\d+)$", "$1"));
        }

        @Override
        public void advanced(RunUpdate update) {}

        @Override
        public void ended(SweepRun run) {
            told.add("ended " + run.number());
        }
    }

    private SweepResult written(SweepPlan plan) throws IOException {
        return RunJson.MAPPER.readValue(
                Files.readString(home.runs().resolve(plan.id()).resolve(Sweeps.FILE)), SweepResult.class);
    }

    private List<String> runs() throws IOException {
        if (!Files.exists(home.runs())) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(home.runs())) {
            return all.filter(run -> Files.exists(run.resolve("run.json")))
                    .map(run -> run.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    private List<Integer> steps(String run) throws IOException {
        return Files.exists(home.run(run).events())
                ? EventLog.read(home.run(run).events(), _ -> {}).stream()
                        .filter(TrainingEvent.Step.class::isInstance)
                        .map(TrainingEvent::step)
                        .toList()
                : List.of();
    }

    @Test
    void everyPointIsTrainedWithEverySeedAndComparedByItsMean() throws Exception {
        SweepResult result = sweep(
                        Policies.standard(),
                        "sweep",
                        request(2, null, "1e-3", "2e-3"),
                        _ -> {},
                        "slope=100",
                        "scatter=0.001")
                .result();

        assertThat(result.complete()).as(result.text()).isTrue();
        assertThat(result.runs())
                .extracting(SweepRun::state)
                .containsOnly(SweepRun.State.FINISHED)
                .hasSize(4);
        assertThat(result.best().orElseThrow().settings()).isEqualTo(Map.of(RATE, "1e-3"));
        assertThat(result.points().getFirst().standardDeviation()).isBetween(0.0007, 0.0008);
        assertThat(result.text())
                .startsWith("best: learningRate 1e-3, val loss ")
                .contains("over 2 seeds; 0.1000 ahead of");
        assertThat(told)
                .startsWith("settled after 0")
                .contains("began p1-s1337", "began p2-s1338", "ended 3")
                .endsWith("one execution");
        assertThat(written(result.plan())).isEqualTo(result);
        Path written = home.runs().resolve(result.plan().id());
        assertThat(Files.readString(written.resolve(Sweeps.PAGE)))
                .contains(result.text())
                .contains("polyline", "Validation loss", "learningRate 2e-3");
        for (SweepRun run : result.runs()) {
            assertThat(Files.readString(home.run(run.run()).preset()))
                    .contains("seed: " + run.seed())
                    .contains("learningRate: " + Double.parseDouble(run.point() == 0 ? "1e-3" : "2e-3"));
            assertThat(home.run(run.run()).read().note()).startsWith(RATE + "=").endsWith("; a test");
            assertThat(run.validations()).isNotEmpty();
        }
    }

    @Test
    void aHopelessRunIsStoppedAndSaidToBe() throws Exception {
        SweepResult result = sweep(
                        Policies.standard(),
                        "sweep-stop-early",
                        request(1, 1, "1e-3", "2e-3", "9e-3", "1.5e-3"),
                        _ -> {},
                        "slope=100",
                        "mishap=wait", // the hopeless one, at step 15, until it is stopped
                        "at=15",
                        "above=0.005")
                .result();

        assertThat(result.complete()).as(result.text()).isTrue();
        SweepRun stopped = result.runs().get(2);
        assertThat(stopped.state()).as(stopped.told()).isEqualTo(SweepRun.State.STOPPED);
        assertThat(stopped.steps()).isEqualTo(15);
        assertThat(stopped.reason()).contains("above", "the median of 2 other points at step 10");
        assertThat(result.runs().get(3).state())
                .as("below the median, which the stopped one is part of")
                .isEqualTo(SweepRun.State.FINISHED);
        assertThat(result.points().getLast().mean())
                .as("what it reached is no loss of its point")
                .isNull();
        assertThat(home.run(stopped.run()).read().status()).isEqualTo(RunStatus.FINISHED);
        assertThat(Files.readString(home.runs().resolve(result.plan().id()).resolve(Sweeps.PAGE)))
                .contains("stopped early at step " + stopped.steps() + ": " + stopped.reason())
                .contains("median");
    }

    @Test
    void aLongOneIsContinuedAsNewAndTrainsEachRunOnce() throws Exception {
        Policies short_ = new Policies(Duration.ofSeconds(60), Duration.ofDays(7), 2);
        SweepResult result = sweep(
                        short_, "sweep-continued", request(5, null, "1e-3"), _ -> {}, "slope=100", "scatter=0.001")
                .result();

        assertThat(result.complete()).as(result.text()).isTrue();
        assertThat(result.runs()).extracting(SweepRun::number).containsExactly(0, 1, 2, 3, 4);
        assertThat(runs()).hasSize(5);
        assertThat(told).endsWith("several executions").contains("began p1-s1341");
        assertThat(told.stream().filter("settled after 0"::equals)).hasSize(1);
        for (String run : runs()) {
            assertThat(Files.readString(home.run(run).path().resolve("attempts.json")))
                    .containsOnlyOnce("\"epoch\"");
        }
    }

    @Test
    void whatFailedIsDoneAgainAndWhatIsFinishedIsNot() throws Exception {
        Path broken = Files.writeString(folder.resolve("broken"), "");
        SweepResult first = sweep(request(1, null, "1e-3", "3e-3"), "slope=100", "broken=" + broken)
                .result();
        assertThat(first.goesOn()).isTrue();
        assertThat(first.runs())
                .extracting(SweepRun::state)
                .containsExactly(SweepRun.State.FINISHED, SweepRun.State.FAILED);
        assertThat(first.text()).endsWith("; 1 failed");
        Files.delete(broken);
        told.clear();

        SweepResult second =
                resume(first.plan().id(), "slope=100", "broken=" + broken).result();

        assertThat(second.goesOn()).isFalse();
        assertThat(second.runs().getFirst()).isEqualTo(first.runs().getFirst());
        assertThat(second.runs().getLast().state()).isEqualTo(SweepRun.State.FINISHED);
        assertThat(told).startsWith("settled after 1", "began p2-s1337").doesNotContain("began p1-s1337");
        assertThat(runs()).hasSize(2);
    }

    @Test
    void aStoppedOneKeepsTheCheckpointAndGoesOnFromIt() throws Exception {
        Outcome<SweepResult> outcome = sweep(
                Policies.standard(),
                "sweep-stopped",
                request(2, null, "1e-3"),
                sweep -> {
                    while (runs().isEmpty() || !steps(runs().getFirst()).contains(14)) {
                        Thread.sleep(50);
                    }
                    sweep.stop();
                },
                "mishap=wait",
                "at=15");
        assertThat(outcome.stopped()).as(outcome.reason()).isTrue();
        String run = runs().getFirst();
        assertThat(runs()).hasSize(1);
        assertThat(home.run(run).read().status()).isEqualTo(RunStatus.STOPPED);
        assertThat(home.run(run).path().resolve("checkpoints/step-000015")).isDirectory();
        String id = run.replaceFirst("-p1-s1337$", "");
        assertThat(Files.readString(home.runs().resolve(id).resolve("sweep.md")))
                .contains("it was stopped on request");

        SweepResult result = resume(id).result();

        assertThat(result.complete()).as(result.text()).isTrue();
        assertThat(home.run(run).read().status()).isEqualTo(RunStatus.FINISHED);
        assertThat(steps(run)).as("none twice").doesNotHaveDuplicates().hasSize(30);
        assertThat(runs()).hasSize(2);
    }

    @Test
    void whatCannotBeMeantIsRefusedBeforeAnyRun() throws Exception {
        Outcome<SweepResult> outcome = sweep(request(1, 3, "1e-3", "fast"));
        assertThat(outcome.refused()).isTrue();
        assertThat(outcome.reason()).contains("stopEarly: of 2 points none can be judged");

        outcome = sweep(request(1, null, "1e-3", "fast"));
        assertThat(outcome.refused()).isTrue();
        assertThat(outcome.reason())
                .contains("--vary optimizer.learningRate=fast: fast, must be a plain decimal number");
        assertThat(runs()).isEmpty();
        assertThatThrownBy(() -> resume("nothing-here"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("there is no ");
    }
}
