package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunHubTest {
    @Test
    void aListenerThatFailsIsReportedOnceAndHurtsNobodyElse() {
        RunHub hub = new RunHub();
        List<RunUpdate> told = new ArrayList<>();
        List<Throwable> reported = new ArrayList<>();
        Thread thread = Thread.currentThread();
        Thread.UncaughtExceptionHandler before = thread.getUncaughtExceptionHandler();
        thread.setUncaughtExceptionHandler((_, e) -> reported.add(e));
        try {
            hub.follow("run", _ -> {
                throw new IllegalStateException("a bug in a view");
            });
            hub.follow("run", told::add);
            hub.tell("run", new RunUpdate.StageStarted(Stage.DATASET));
            hub.tell("run", new RunUpdate.StageStarted(Stage.STAGE));
        } finally {
            thread.setUncaughtExceptionHandler(before);
        }
        assertThat(told).hasSize(2);
        assertThat(reported).singleElement().isInstanceOf(IllegalStateException.class);
    }
}
