package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;

class PreparationSettingsTest {
    private static final String PARALLEL = "PACER_DATASET_PARALLEL";
    private static final String SLOTS = "PACER_DATASET_SLOTS";

    @Test
    void sixteenPartsAreWorkedOnAtOnceOrWhatTheEnvironmentSays() {
        assertThat(PreparationSettings.of(Map.of()).parallel()).isEqualTo(16);
        assertThat(PreparationSettings.of(Map.of(PARALLEL, " 64 ")).parallel()).isEqualTo(64);
    }

    @Test
    void aHostTakesFourOfThemOrWhatItsEnvironmentSays() {
        assertThat(PreparationSettings.of(Map.of(PARALLEL, "64")).slots()).isEqualTo(4);
        assertThat(PreparationSettings.of(Map.of(SLOTS, "1", PARALLEL, "64")))
                .extracting(PreparationSettings::slots, PreparationSettings::parallel)
                .containsExactly(1, 64);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "513", "-1", "many", "1e2"})
    void anythingElseIsRefused(String text) {
        assertThatThrownBy(() -> PreparationSettings.of(Map.of(PARALLEL, text)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(PARALLEL + ": '" + text + "' is no number from 1 to 512");
        assertThatThrownBy(() -> PreparationSettings.of(Map.of(SLOTS, text)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(SLOTS + ": '" + text + "' is no number from 1 to 512");
    }
}
