package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.activity.ActivityOptions;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import pacer.activities.run.HostActivityImpl;

/** Where a host is asked whether it is there. */
@Timeout(60)
class PatienceTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(5), Duration.ofSeconds(1));
    private static final String HOST = "h";

    private final TestWorkflowEnvironment environment = TestWorkflowEnvironment.newInstance();

    /** Waits for work that nobody begins; when the host has answered, for nothing more. */
    @WorkflowInterface
    public interface Waiting {
        @WorkflowMethod
        String await();
    }

    public static final class WaitingImpl implements Waiting {
        private int tried;

        @Override
        public String await() {
            return new Patience(QUICK, HOST).await(() -> tried++ > 0 ? "answered" : neverBegun());
        }

        private static String neverBegun() {
            return Workflow.newUntypedActivityStub(ActivityOptions.newBuilder()
                            .setTaskQueue(TaskQueues.train(HOST))
                            .setScheduleToStartTimeout(QUICK.hostTimeout())
                            .setStartToCloseTimeout(Duration.ofMinutes(1))
                            .build())
                    .execute("Train", String.class);
        }
    }

    /** The same for what a host mostly begins at once. */
    @WorkflowInterface
    public interface Closing {
        @WorkflowMethod
        String close();
    }

    public static final class ClosingImpl implements Closing {
        private int tried;

        @Override
        public String close() {
            return new Patience(QUICK, HOST).atOnce(() -> tried++ > 0 ? "closed" : WaitingImpl.neverBegun());
        }
    }

    @BeforeEach
    void open() {
        environment
                .newWorker(TaskQueues.CONTROL)
                .registerWorkflowImplementationTypes(WaitingImpl.class, ClosingImpl.class);
    }

    private String close(String queue) {
        if (queue != null) {
            listensOn(queue);
        }
        environment.start();
        return environment
                .getWorkflowClient()
                .newWorkflowStub(
                        Closing.class,
                        WorkflowOptions.newBuilder()
                                .setTaskQueue(TaskQueues.CONTROL)
                                .build())
                .close();
    }

    @AfterEach
    void end() {
        environment.close();
    }

    private String await() {
        environment.start();
        return environment
                .getWorkflowClient()
                .newWorkflowStub(
                        Waiting.class,
                        WorkflowOptions.newBuilder()
                                .setTaskQueue(TaskQueues.CONTROL)
                                .build())
                .await();
    }

    private void listensOn(String queue) {
        environment.newWorker(queue).registerActivitiesImplementations(new HostActivityImpl());
    }

    @Test
    void aHostThatAnswersIsWaitedFor() {
        listensOn(TaskQueues.alive(HOST));
        assertThat(await()).isEqualTo("answered");
    }

    @Test
    void aHostThatIsNotUpgradedYetAnswersWhereItDoesItsWork() {
        listensOn(TaskQueues.data(HOST));
        assertThat(await()).isEqualTo("answered");
    }

    @Test
    void whatWasNotBegunInTimeIsNoHostThatIsGoneWhereThatAnswers() {
        assertThat(close(TaskQueues.alive(HOST))).isEqualTo("closed");
    }

    @Test
    void whatAHostThatIsGoneDidNotBeginIsGivenUp() {
        assertThatThrownBy(() -> close(null)).hasStackTraceContaining(Patience.HOST_GONE);
    }

    @Test
    void aHostThatAnswersNowhereIsGone() {
        assertThatThrownBy(this::await)
                .isInstanceOf(WorkflowFailedException.class)
                .hasStackTraceContaining("host h does not answer")
                .hasStackTraceContaining(Patience.HOST_GONE);
    }
}
