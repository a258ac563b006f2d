package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;

class PoliciesTest {
    private static final String VARIABLE = "PACER_HEARTBEAT_TIMEOUT";

    @Test
    void aWorkerIsTakenForDeadAfterAMinuteOrWhatItsEnvironmentSays() {
        assertThat(Policies.of(Map.of()).heartbeat()).isEqualTo(Duration.ofMinutes(1));
        assertThat(Policies.of(Map.of(VARIABLE, "")).heartbeat()).isEqualTo(Duration.ofMinutes(1));
        assertThat(Policies.of(Map.of(VARIABLE, " 10 ")).heartbeat()).isEqualTo(Duration.ofSeconds(10));
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "3601", "-10", "10s", "1e1", "99999999999"})
    void whatNoWorkerCanKeepToIsRefused(String text) {
        assertThatThrownBy(() -> Policies.of(Map.of(VARIABLE, text)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(VARIABLE + ": '" + text + "' is no number of seconds from 5 to 3600");
    }
}
