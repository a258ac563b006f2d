package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.client.WorkflowServiceException;
import io.temporal.client.WorkflowStub;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;

class RemoteProgressTest {
    private long now;
    private boolean answers;
    private String notice;

    /** A workflow whose query is answered or not. */
    private WorkflowStub workflow() {
        return (WorkflowStub) Proxy.newProxyInstance(
                WorkflowStub.class.getClassLoader(),
                new Class<?>[] {WorkflowStub.class},
                (proxy, method, arguments) -> {
                    if (!answers) {
                        throw new WorkflowServiceException(
                                WorkflowExecution.getDefaultInstance(), "TrainPipeline", new IllegalStateException());
                    }
                    return new PipelineProgress(null, List.of(), null, false, null, notice, null, null);
                });
    }

    @Test
    void thatNoWorkerAnswersIsSaidOnceEachTime() {
        List<RunUpdate> told = new ArrayList<>();
        RemoteProgress progress = new RemoteProgress(workflow(), () -> now);
        for (int second = 0; second < 120; second++) {
            progress.poll(told::add);
            assertThat(told).hasSize(second <= 30 ? 0 : 1);
            now += Duration.ofSeconds(1).toNanos();
        }
        assertThat(((RunUpdate.Notice) told.getFirst()).text())
                .startsWith("no worker has answered for this run for 30 s");

        answers = true;
        progress.poll(told::add);
        answers = false;
        now += Duration.ofSeconds(31).toNanos();
        progress.poll(told::add);
        assertThat(told).hasSize(2);
    }

    @Test
    void whatThereIsToSayOfItsEndIsSaidOnce() {
        List<RunUpdate> told = new ArrayList<>();
        RemoteProgress progress = new RemoteProgress(workflow(), () -> now);
        answers = true;
        progress.poll(told::add);
        assertThat(told).isEmpty();

        notice = "its record waits for host h";
        progress.poll(told::add);
        progress.poll(told::add);
        assertThat(told).containsExactly(new RunUpdate.Notice(Stage.PUBLISH, notice));
    }
}
