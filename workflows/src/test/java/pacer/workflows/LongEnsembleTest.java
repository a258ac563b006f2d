package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import io.temporal.activity.Activity;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.testing.TestEnvironmentOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import pacer.activities.dataset.DatasetActivity;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.evaluation.EvaluationActivity;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.publishing.PublishingActivity;
import pacer.activities.publishing.PublishingResult;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.RunActivity;
import pacer.activities.run.RunAmendment;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunPlan;
import pacer.activities.run.RunRequest;
import pacer.activities.run.Verdict;
import pacer.activities.staging.StagingActivity;
import pacer.activities.staging.StagingResult;
import pacer.activities.training.Ensemble;
import pacer.activities.training.EnsembleActivity;
import pacer.activities.training.RanksRequest;
import pacer.activities.training.SlotHeld;
import pacer.activities.training.TrainingActivity;
import pacer.activities.training.TrainingResult;

/** How a run of several hosts that fails or waits for weeks fits in its histories: the activities are made up, the workflow and its histories are real. */
@Timeout(120)
class LongEnsembleTest {
    private static final int MOST_EVENTS = 400;
    private static final int LONGEST_ATTEMPT = 200; // events, with room

    /** What a slot that is given back hears of by. */
    private static final WorkerOptions QUICK_BEATS = WorkerOptions.newBuilder()
            .setMaxHeartbeatThrottleInterval(Duration.ofMillis(20))
            .setDefaultHeartbeatThrottleInterval(Duration.ofMillis(20))
            .build();

    private final List<RunRequest> opened = new CopyOnWriteArrayList<>();
    private final List<Ensemble> trained = new CopyOnWriteArrayList<>();
    private final TestWorkflowEnvironment environment =
            TestWorkflowEnvironment.newInstance(TestEnvironmentOptions.newBuilder()
                    .setWorkflowClientOptions(WorkflowClientOptions.newBuilder()
                            .setDataConverter(TemporalConnection.converter())
                            .build())
                    .build());

    @AfterEach
    void close() {
        environment.close();
    }

    private final RunActivity runs = new RunActivity() {
        @Override
        public RunPlan open(RunRequest request) {
            opened.add(request);
            RunPlan.Page page = new RunPlan.Page(false, Map.of(), "", null, 0);
            return new RunPlan("r", "p", "", "", "", 100, null, "h1", false, page, null, 2, 1);
        }

        @Override
        public int amend(RunAmendment amendment) {
            return 100;
        }

        @Override
        public void close(RunEnding ending) {}
    };

    private final class MadeUp implements EnsembleActivity, TrainingActivity {
        private final int faults;

        MadeUp(int faults) {
            this.faults = faults;
        }

        @Override
        public EnsembleActivity.Hosts find(String run) {
            return new EnsembleActivity.Hosts(List.of("h1", "h2"), "s3://store");
        }

        @Override
        public void hold(String run, String gathering, String store) {
            String queue = Activity.getExecutionContext().getInfo().getActivityTaskQueue();
            ActivityStage.signal(HELD_SIGNAL, new SlotHeld(gathering, queue.substring(queue.length() - 2)));
            while (true) {
                Activity.getExecutionContext().heartbeat(null);
                sleep();
            }
        }

        private static void sleep() {
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void stage(RanksRequest request) {}

        @Override
        public void train(RanksRequest request) {}

        @Override
        public TrainingResult train(pacer.activities.training.TrainingRequest request) {
            trained.add(request.ensemble());
            if (trained.size() <= faults) {
                throw new IllegalStateException("fault " + trained.size());
            }
            return new TrainingResult(100, 2, 2.0, 2.0, 1, 1, "c", "c");
        }
    }

    @Test
    void aRunThatFailsAgainAndAgainGoesOnInANewHistoryWhenOneIsLong() {
        start(new MadeUp(30));

        WorkflowStub run = environment
                .getWorkflowClient()
                .newUntypedWorkflowStub(
                        "TrainPipeline",
                        WorkflowOptions.newBuilder()
                                .setWorkflowId("r")
                                .setTaskQueue(TaskQueues.CONTROL)
                                .build());
        run.start(new RunRequest("p", Map.of(), List.of(), "why", null));
        PipelineResult result = run.getResult(PipelineResult.class);

        assertThat(result.training().steps()).isEqualTo(100);
        assertThat(trained).hasSize(31);
        assertThat(opened).hasSizeGreaterThan(2);
        assertThat(opened.subList(1, opened.size()))
                .as("gone on with where its folder is")
                .allSatisfy(request -> {
                    assertThat(request.run()).isEqualTo("r");
                    assertThat(request.host()).isEqualTo("h1");
                    assertThat(request.note()).isEqualTo("why");
                });
        List<Integer> lengths = new CopyOnWriteArrayList<>();
        for (String execution = run.getExecution().getRunId(); !execution.isEmpty(); ) {
            List<HistoryEvent> events =
                    environment.getWorkflowClient().fetchHistory("r", execution).getEvents();
            lengths.add(events.size());
            execution = events.getLast().hasWorkflowExecutionContinuedAsNewEventAttributes()
                    ? events.getLast()
                            .getWorkflowExecutionContinuedAsNewEventAttributes()
                            .getNewExecutionRunId()
                    : "";
        }
        assertThat(lengths).hasSize(opened.size()).allMatch(length -> length < MOST_EVENTS + LONGEST_ATTEMPT);
        Instant first = trained.getFirst().begun();
        assertThat(trained.get(1).begun())
                .as("since when signals become seldom, over gatherings")
                .isEqualTo(first);
    }

    private void start(MadeUp hosts) {
        Policies policies = new Policies(Duration.ofSeconds(5));
        environment
                .newWorker(TaskQueues.CONTROL)
                .registerWorkflowImplementationFactory(
                        TrainPipeline.class, () -> new TrainPipelineImpl(policies, MOST_EVENTS));
        environment.getWorkerFactory().getWorker(TaskQueues.CONTROL).registerActivitiesImplementations(runs);
        DatasetActivity dataset = _ -> new DatasetResult("d", "", "", 1, null, 2, 1, 1, 1, true);
        StagingActivity staging = _ -> new StagingResult("d", 1, 1, 1, 0, 0, 0);
        EvaluationActivity evaluation = _ -> new EvaluationResult("c", 100, 2, 1, 0);
        PublishingActivity publishing = _ -> new PublishingResult(new Verdict(null, 2, null, "done"), List.of());
        for (String host : List.of("h1", "h2")) {
            environment
                    .newWorker(TaskQueues.train(host), QUICK_BEATS)
                    .registerActivitiesImplementations(hosts, evaluation);
            environment
                    .newWorker(TaskQueues.data(host))
                    .registerActivitiesImplementations(hosts, runs, dataset, staging, publishing);
        }
        environment.start();
    }
}
