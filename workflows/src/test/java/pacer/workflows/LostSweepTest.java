package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.SweepRequest;
import pacer.activities.run.TestRuns;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepResult;
import pacer.activities.sweep.SweepRun;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/** The worker of a sweep, another process, is killed in the middle of its second run; the next one goes on, on the real server. */
@Timeout(180)
class LostSweepTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(3));

    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private int parallel;

    /** A worker that waits for its end; trainers of higher rates wait at step 15, once. */
    static final class Working {
        private Working() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            Home home = TestRuns.home(Path.of(arguments[0]));
            WorkerSettings settings =
                    TestPipelines.settings(home, QUICK, "mishap=wait", "at=15", "above=0.0015", "slope=100");
            TemporalConnection connection = TemporalConnection.open(TemporalAddress.find(arguments[1], Map.of()));
            try (Pipeline _ = Pipeline.with(home, connection, settings, EnumSet.allOf(ServiceWorker.Role.class))) {
                Thread.sleep(Long.MAX_VALUE);
            }
        }
    }

    @Test
    void whatWasFinishedIsNotTrainedAgainAndTheRunAtWorkGoesOnFromItsCheckpoint() throws Exception {
        SpecLayers layers = TestPipelines.layers(TestRuns.text(folder.resolve("text.txt"), 20));
        Home home = TestRuns.home(folder);
        SweepRequest request = SweepRequest.of(
                layers.trial(null, null),
                Map.of("optimizer.learningRate", List.of("1e-3", "2e-3")),
                null,
                1,
                null,
                null);
        Process first = worker();
        Process[] second = new Process[1];
        SweepResult result;
        try (TemporalConnection connection = SERVER.connect();
                Pipeline client = Pipeline.with(home, connection, TestPipelines.settings(home, QUICK), Set.of())) {
            SweepHandle sweep = client.sweep(request, layers.spec());
            Path events = home.run(sweep.id() + "-p2-s1337").events();
            result = sweep.follow(new SweepHandle.Listener() {
                        @Override
                        public void settled(SweepPlan plan, List<SweepRun> before) {
                            parallel = plan.parallel();
                        }

                        @Override
                        public void began(String run) {}

                        @Override
                        public void advanced(RunUpdate update) {
                            if (second[0] == null
                                    && steps(events, TrainingEvent.Step.class).contains(14)) {
                                first.destroyForcibly();
                                second[0] = worker();
                            }
                        }

                        @Override
                        public void ended(SweepRun run) {}
                    })
                    .result();
        } finally {
            first.destroyForcibly().waitFor();
            if (second[0] != null) {
                second[0].destroyForcibly().waitFor();
            }
        }
        assertThat(second[0]).as("it was killed").isNotNull();
        assertThat(parallel).as("as many as hosts train").isEqualTo(1);
        assertThat(result.complete()).as(result.text()).isTrue();
        assertThat(result.runs()).extracting(SweepRun::state).containsOnly(SweepRun.State.FINISHED);
        assertThat(result.best().orElseThrow().settings()).containsValue("1e-3");
        assertThat(started(home, result, 0)).as("trained once").containsExactly(0);
        assertThat(started(home, result, 1)).as("from its checkpoint").containsExactly(0, 10);
    }

    private static List<Integer> started(Home home, SweepResult result, int run) {
        return steps(home.run(result.runs().get(run).run()).events(), TrainingEvent.Started.class);
    }

    private static List<Integer> steps(Path events, Class<? extends TrainingEvent> kind) {
        try {
            return Files.exists(events)
                    ? EventLog.read(events, _ -> {}).stream()
                            .filter(kind::isInstance)
                            .map(TrainingEvent::step)
                            .toList()
                    : List.of();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private Process worker() {
        try {
            return OtherJvm.start(Working.class, folder.resolve("log"), folder.toString(), SERVER.address());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
