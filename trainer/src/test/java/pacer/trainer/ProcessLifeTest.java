package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import pacer.trainer.checkpoint.ChildJvm;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

@Timeout(120)
class ProcessLifeTest {

    /** A process whose work ends in what its argument says. */
    public static final class Failing {
        private Failing() {}

        public static void main(String[] args) {
            ProcessLife.run(life -> {
                throw args[0].equals("memory") ? new OutOfMemoryError("heap") : new StackOverflowError("too deep");
            });
        }
    }

    @Test
    void anErrorEndsTheProcessAtOnceAsAFailureWorthARetry() throws Exception {
        try (ChildJvm child = ChildJvm.start(Failing.class, "stack")) {
            assertThat(child.exitCode()).isEqualTo(ProcessLife.FAILED);
            assertThat(EventLog.parse(child.lastLine())).isInstanceOfSatisfying(TrainingEvent.Failed.class, failed -> {
                assertThat(failed.retryable()).isTrue();
                assertThat(failed.reason()).contains("StackOverflowError", "too deep");
            });
        }
    }

    @Test
    void memoryThatIsNotThereIsBadInput() throws Exception {
        try (ChildJvm child = ChildJvm.start(Failing.class, "memory")) {
            assertThat(child.exitCode()).isEqualTo(ProcessLife.BAD_INPUT);
            assertThat(child.lastLine()).contains("train.microBatch");
        }
    }
}
