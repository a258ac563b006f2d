package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.ApplicationFailure;
import java.nio.file.Path;
import java.util.EnumSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.reproduction.Reproduction;
import pacer.activities.run.Home;
import pacer.activities.run.TestRuns;

/** Reproductions on the real server, whose visibility is where a missed one has to be found. */
@Timeout(180)
class ReproduceTest {
    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private TemporalConnection connection;
    private Pipeline worker;

    @BeforeEach
    void begin() throws Exception {
        Home home = TestRuns.home(folder);
        connection = SERVER.connect();
        worker = Pipeline.with(home, connection, TestPipelines.settings(home), EnumSet.allOf(ServiceWorker.Role.class));
    }

    @AfterEach
    void end() {
        worker.close(); // and its connection
    }

    private WorkflowStub start(String id, String... sets) throws Exception {
        Path text = TestRuns.text(folder.resolve("text.txt"), 20);
        WorkflowStub workflow = connection
                .client()
                .newUntypedWorkflowStub(
                        "Reproduce",
                        WorkflowOptions.newBuilder()
                                .setWorkflowId(id)
                                .setTaskQueue(TaskQueues.CONTROL)
                                .build());
        workflow.start(TestPipelines.layers(text, sets).reproduction());
        return workflow;
    }

    private static String described(String id) throws Exception {
        return SERVER.temporal("workflow", "describe", "-w", id, "-o", "json");
    }

    @Test
    void aReproductionIsHeldAgainstTheOneBeforeIt() throws Exception {
        Reproduction first = start("first").getResult(Reproduction.class);
        Reproduction second = start("second").getResult(Reproduction.class);

        assertThat(first.passed()).isTrue();
        assertThat(first.text()).contains("the first of its settings on this host");
        assertThat(second.run()).isNotEqualTo(first.run());
        assertThat(second.drift()).isZero();
        assertThat(second.text()).contains("the same to the last bit as the one before");
        assertThat(described("second")).contains("COMPLETED");
        SaveHistories.keep("reproduced", connection, "second");
    }

    @Test
    void oneThatMissesWhatIsExpectedFailsAsMissedAndIsFoundByIt() throws Exception {
        WorkflowStub workflow = start("strict", "expectation.validationLoss=1.2");
        WorkflowFailedException failed =
                catchThrowableOfType(WorkflowFailedException.class, () -> workflow.getResult(Reproduction.class));

        assertThat(failed.getCause()).isInstanceOfSatisfying(ApplicationFailure.class, cause -> {
            assertThat(cause.getType()).isEqualTo("Missed");
            assertThat(cause.isNonRetryable()).isTrue();
            assertThat(cause.getOriginalMessage()).contains("1.2333", "1.2");
            Reproduction told = cause.getDetails().get(Reproduction.class);
            assertThat(told.passed()).isFalse();
            assertThat(told.expected()).isEqualTo(1.2);
            assertThat(told.validationLoss()).isEqualTo(4.0 / 30 + 1.1);
        });
        assertThat(described("strict")).contains("WORKFLOW_EXECUTION_STATUS_FAILED", "\"verdict\"");
        assertThat(described("strict-run")).contains("WORKFLOW_EXECUTION_STATUS_COMPLETED");
        String query = "PacerVerdict = 'missed' AND WorkflowId = 'strict-run'";
        for (int i = 0; !SERVER.temporal("workflow", "list", "--query", query).contains("strict-run"); i++) {
            assertThat(i).as("looks until it is found").isLessThan(100);
            Thread.sleep(100);
        }
        SaveHistories.keep("reproduction-missed", connection, "strict");
    }
}
