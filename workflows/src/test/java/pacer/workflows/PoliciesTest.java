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

    @Test
    void aHostIsAskedAfterInAWeekOrWhenItsEnvironmentSays() {
        assertThat(Policies.of(Map.of()).hostTimeout()).isEqualTo(Duration.ofDays(7));
        assertThat(Policies.of(Map.of("PACER_HOST_TIMEOUT", "3600")).hostTimeout())
                .isEqualTo(Duration.ofHours(1));
        assertThatThrownBy(() -> Policies.of(Map.of("PACER_HOST_TIMEOUT", "3d")))
                .isInstanceOf(BadInputException.class)
                .hasMessage("PACER_HOST_TIMEOUT: '3d' is no number of seconds from 60 to 31536000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "3601", "-10", "10s", "1e1", "99999999999"})
    void whatNoWorkerCanKeepToIsRefused(String text) {
        assertThatThrownBy(() -> Policies.of(Map.of(VARIABLE, text)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(VARIABLE + ": '" + text + "' is no number of seconds from 5 to 3600");
    }
}
