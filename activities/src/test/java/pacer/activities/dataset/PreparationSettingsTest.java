package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;

class PreparationSettingsTest {
    private static final String VARIABLE = "PACER_DATASET_PARALLEL";

    @Test
    void sixteenPartsAreWorkedOnAtOnceOrWhatTheEnvironmentSays() {
        assertThat(PreparationSettings.of(Map.of()).parallel()).isEqualTo(16);
        assertThat(PreparationSettings.of(Map.of(VARIABLE, " 64 ")).parallel()).isEqualTo(64);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "513", "-1", "many", "1e2"})
    void anythingElseIsRefused(String text) {
        assertThatThrownBy(() -> PreparationSettings.of(Map.of(VARIABLE, text)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(VARIABLE + ": '" + text + "' is no number from 1 to 512");
    }
}
