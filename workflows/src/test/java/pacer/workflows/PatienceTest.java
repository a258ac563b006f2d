package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.activity.ActivityOptions;
import io.temporal.api.enums.v1.RetryState;
import io.temporal.api.enums.v1.TimeoutType;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.TimeoutFailure;
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
            return new Patience(QUICK, HOST).await(_ -> tried++ > 0 ? "answered" : neverBegun());
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

    /** Waits for ten days for a host whose slot is taken; gives how often it was asked whether it is there. */
    @WorkflowInterface
    public interface LongWaiting {
        @WorkflowMethod
        int await();
    }

    public static final class LongWaitingImpl implements LongWaiting {
        private int tried;

        @Override
        public int await() {
            Policies minute = new Policies(Duration.ofSeconds(5), Duration.ofMinutes(1));
            long end = Workflow.currentTimeMillis() + Duration.ofDays(10).toMillis();
            return new Patience(minute, HOST)
                    .await(waiting -> Workflow.currentTimeMillis() >= end ? tried : neverBegun(waiting));
        }

        private int neverBegun(Policies waiting) {
            tried++;
            Workflow.sleep(
                    waiting.training(HOST).getScheduleToStartTimeout()); // time is not skipped while an activity waits
            throw new ActivityFailure(
                    "",
                    0,
                    0,
                    "Train",
                    "",
                    RetryState.RETRY_STATE_TIMEOUT,
                    "",
                    new TimeoutFailure("", null, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START));
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
            return new Patience(QUICK, HOST).atOnce(_ -> tried++ > 0 ? "closed" : WaitingImpl.neverBegun());
        }
    }

    @BeforeEach
    void open() {
        environment
                .newWorker(TaskQueues.CONTROL)
                .registerWorkflowImplementationTypes(WaitingImpl.class, LongWaitingImpl.class, ClosingImpl.class);
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
    void aWaitOfDaysFillsNoHistoryHoweverSoonAHostIsAskedAfter() {
        listensOn(TaskQueues.alive(HOST));
        environment.start();
        LongWaiting waiting = environment
                .getWorkflowClient()
                .newWorkflowStub(
                        LongWaiting.class,
                        WorkflowOptions.newBuilder()
                                .setWorkflowId("long")
                                .setTaskQueue(TaskQueues.CONTROL)
                                .build());

        assertThat(waiting.await())
                .as("times asked: 240 hours, and a few at first; 14,400 each minute")
                .isBetween(240, 250);
        assertThat(environment.getWorkflowClient().fetchHistory("long").getEvents())
                .as("of the 51,200 that a history may have")
                .hasSizeLessThan(4000);
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
