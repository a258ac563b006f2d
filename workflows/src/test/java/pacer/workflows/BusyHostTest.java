package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import io.temporal.activity.ActivityOptions;
import io.temporal.api.enums.v1.PendingActivityState;
import io.temporal.api.workflow.v1.PendingActivityInfo;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.common.RetryOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.workflow.ActivityStub;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.RunStatus;
import pacer.activities.run.TestRuns;
import pacer.trainer.durable.Host;

/** A host all of whose slots are taken is no host that is gone: on the real server, as its timeouts are what counts. */
@Timeout(180)
class BusyHostTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(10), Duration.ofSeconds(3));
    private static final String QUEUE = "occupy";

    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    /** Takes slots of a host for as long as a training there writes no checkpoint. */
    @WorkflowInterface
    public interface Occupy {
        @WorkflowMethod
        void all(String queue, String run, int slots);
    }

    public static final class OccupyImpl implements Occupy {
        @Override
        public void all(String queue, String run, int slots) {
            ActivityStub host = Workflow.newUntypedActivityStub(ActivityOptions.newBuilder()
                    .setTaskQueue(queue)
                    .setStartToCloseTimeout(Duration.ofMinutes(3))
                    .setRetryOptions(
                            RetryOptions.newBuilder().setMaximumAttempts(1).build())
                    .build());
            List<Promise<String>> taken = IntStream.range(0, slots)
                    .mapToObj(_ -> host.executeAsync("CheckpointNow", String.class, run))
                    .toList();
            taken.forEach(Promise::getFailure); // waits until it is over
        }
    }

    @Test
    void aRunWaitsForAHostAllOfWhoseSlotsAreTaken() throws Exception {
        Home home = TestRuns.home(folder);
        Path text = TestRuns.text(folder.resolve("text.txt"), 20);
        WorkerSettings settings = TestPipelines.settings(home, QUICK, "mishap=hold", "at=15");
        try (TemporalConnection connection = SERVER.connect();
                Pipeline host =
                        Pipeline.with(home, SERVER.connect(), settings, EnumSet.allOf(ServiceWorker.Role.class))) {
            RunHandle first = host.start(TestPipelines.layers(text), null, null, true);
            while (!LostWorkerTest.waitsAtStep14(home, first)) {
                Thread.sleep(50);
            }
            WorkerFactory factory = WorkerFactory.newInstance(connection.client());
            factory.newWorker(QUEUE).registerWorkflowImplementationTypes(OccupyImpl.class);
            factory.start();
            try {
                occupy(connection.client(), first.id());
                RunHandle second = host.start(TestPipelines.layers(text, "seed=2"), null, null, true);
                String asked = awaitAnswer(second.id());
                goOn(home, first);
                goOn(home, second);

                assertThat(first.result().status()).isEqualTo(RunStatus.FINISHED);
                PipelineOutcome outcome = second.result();
                assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
                assertThat(asked).contains("\"" + TaskQueues.alive(Host.name()) + "\"");
            } finally {
                factory.shutdownNow();
                factory.awaitTermination(10, TimeUnit.SECONDS);
            }
        }
    }

    /** Returns once every slot of the host's queue but that for training is taken. */
    private static void occupy(WorkflowClient client, String run) throws InterruptedException {
        WorkflowStub occupation = client.newUntypedWorkflowStub(
                "Occupy",
                WorkflowOptions.newBuilder()
                        .setWorkflowId("occupy-" + run)
                        .setTaskQueue(QUEUE)
                        .build());
        occupation.start(TaskQueues.data(Host.name()), run, PipelineWorker.MOST_WAITING);
        var question = DescribeWorkflowExecutionRequest.newBuilder()
                .setNamespace("default")
                .setExecution(occupation.getExecution())
                .build();
        long begun;
        do {
            Thread.sleep(500);
            begun = client
                    .getWorkflowServiceStubs()
                    .blockingStub()
                    .describeWorkflowExecution(question)
                    .getPendingActivitiesList()
                    .stream()
                    .map(PendingActivityInfo::getState)
                    .filter(PendingActivityState.PENDING_ACTIVITY_STATE_STARTED::equals)
                    .count();
        } while (begun < PipelineWorker.MOST_WAITING);
    }

    /** The history of the run once the host was asked whether it is there, and the workflow has heard what came of it. */
    private static String awaitAnswer(String run) throws IOException, InterruptedException {
        while (true) {
            String history = SERVER.temporal("workflow", "show", "-w", run, "-o", "json");
            int asked = history.indexOf("AnswerForHost");
            if (asked >= 0 && history.indexOf("EVENT_TYPE_WORKFLOW_TASK_COMPLETED", asked) >= 0) {
                return history;
            }
            Thread.sleep(200);
        }
    }

    private static void goOn(Home home, RunHandle run) throws IOException {
        Files.writeString(home.run(run.id()).path().resolve("go"), "");
    }
}
