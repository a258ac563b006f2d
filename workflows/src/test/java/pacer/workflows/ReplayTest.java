package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.client.WorkflowClientOptions;
import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.testing.TestEnvironmentOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.testing.WorkflowReplayer;
import io.temporal.worker.Worker;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import pacer.activities.publishing.PublishingActivity;
import pacer.activities.publishing.PublishingRequest;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Progress;
import pacer.activities.run.RunActivity;
import pacer.activities.run.RunRequest;

/**
 * Runs that were begun by an earlier version of the workflow must go on under this one. When a test here fails, the change to
 * the workflow would break them: guard it with {@code Workflow.getVersion}. Histories are made by {@link SaveHistories}.
 */
class ReplayTest {
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

    static Stream<Path> histories() throws IOException, URISyntaxException {
        Path folder = Path.of(ReplayTest.class.getResource("/histories").toURI());
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.filter(file -> file.toString().endsWith(".json")).toList();
        }
        assertThat(all).hasSizeGreaterThanOrEqualTo(5);
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("histories")
    void savedHistoriesReplay(Path history) throws Exception {
        Worker worker = environment.newWorker("replay");
        PipelineWorker.registerWorkflows(worker, Policies.standard());
        WorkflowReplayer.replayWorkflowExecution(read(history), worker);
    }

    /** The workflow of the same name in another version of the code. */
    @WorkflowInterface
    public interface ChangedPipeline {
        @WorkflowMethod(name = "TrainPipeline")
        PipelineResult run(RunRequest request);

        @SignalMethod(name = ActivityStage.PROGRESS_SIGNAL)
        void advanced(Progress progress);
    }

    /** What an incompatible change looks like: it publishes before there is anything to publish. */
    public static final class Changed implements ChangedPipeline {
        @Override
        public PipelineResult run(RunRequest request) {
            Policies policies = Policies.standard();
            var plan =
                    Workflow.newActivityStub(RunActivity.class, policies.open()).open(request);
            Workflow.newActivityStub(PublishingActivity.class, policies.publishing(plan.host()))
                    .publish(new PublishingRequest(plan.run()));
            return null;
        }

        @Override
        public void advanced(Progress progress) {}
    }

    @Test
    void anIncompatibleChangeDoesNot() throws Exception {
        Worker worker = environment.newWorker("replay");
        worker.registerWorkflowImplementationTypes(Changed.class);
        Path history = Path.of(
                ReplayTest.class.getResource("/histories/v1/finished.json").toURI());
        assertThatThrownBy(() -> WorkflowReplayer.replayWorkflowExecution(read(history), worker))
                .hasStackTraceContaining("NonDeterministic");
    }

    private static WorkflowExecutionHistory read(Path file) throws IOException {
        return WorkflowExecutionHistory.fromJson(Files.readString(file));
    }
}
