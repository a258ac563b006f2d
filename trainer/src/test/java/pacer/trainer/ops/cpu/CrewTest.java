package pacer.trainer.ops.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CrewTest {

    @Test
    void memoryThatAMemberDoesNotGetIsMissedByTheCaller() {
        try (Crew crew = new Crew(2, "test")) {
            OutOfMemoryError thrown = new OutOfMemoryError("of member 1");
            assertThatThrownBy(() -> crew.run(member -> {
                        if (member == 1) {
                            throw thrown;
                        }
                    }))
                    .isSameAs(thrown);
        }
    }

    @Test
    void anotherErrorOfAMemberIsAFailureAndTheCrewWorksOn() {
        try (Crew crew = new Crew(2, "test")) {
            assertThatThrownBy(() -> crew.run(member -> {
                        throw new StackOverflowError("too deep");
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("too deep");
            AtomicInteger ran = new AtomicInteger();
            crew.run(member -> ran.incrementAndGet());
            assertThat(ran).hasValue(2);
        }
    }
}
