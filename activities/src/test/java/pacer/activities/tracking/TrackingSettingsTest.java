package pacer.activities.tracking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;

class TrackingSettingsTest {
    private static TrackingSettings of(String address) {
        return TrackingSettings.of(Map.of("MLFLOW_TRACKING_URI", address)).orElseThrow();
    }

    @Test
    void withoutAnAddressThereAreNone() {
        assertThat(TrackingSettings.of(Map.of())).isEmpty();
        assertThat(TrackingSettings.of(Map.of("MLFLOW_TRACKING_URI", " "))).isEmpty();
    }

    @Test
    void secretsInTheAddressAreUsedAndNotShown() {
        TrackingSettings settings = of("https://me:p%40ss@host:5000/mlflow/");
        assertThat(settings.server()).hasToString("https://host:5000/mlflow");
        assertThat(settings.user()).isEqualTo("me");
        assertThat(settings.password()).isEqualTo("p@ss");
        assertThat(settings.toString()).doesNotContain("p@ss", "me:");
        assertThat(settings.experiment()).isEqualTo("pacer");
    }

    @Test
    void variablesGoBeforeTheAddress() {
        TrackingSettings settings = TrackingSettings.of(Map.of(
                        "MLFLOW_TRACKING_URI", "http://me@host",
                        "MLFLOW_TRACKING_USERNAME", "you",
                        "MLFLOW_TRACKING_PASSWORD", "word",
                        "MLFLOW_EXPERIMENT_NAME", "records"))
                .orElseThrow();
        assertThat(settings.user()).isEqualTo("you");
        assertThat(settings.password()).isEqualTo("word");
        assertThat(settings.experiment()).isEqualTo("records");
    }

    /** The worker's network may be one of containers, which no browser knows. */
    @Test
    void peoplesAddressIsAnotherWhereOneIsNamed() {
        assertThat(of("http://me:secret@mlflow:5000/").pages()).hasToString("http://mlflow:5000");
        TrackingSettings settings = TrackingSettings.of(Map.of(
                        "MLFLOW_TRACKING_URI", "http://mlflow:5000", "PACER_MLFLOW_UI", "https://ml.example.com/"))
                .orElseThrow();
        assertThat(settings.server()).hasToString("http://mlflow:5000");
        assertThat(settings.pages()).hasToString("https://ml.example.com");
        assertThatThrownBy(() -> TrackingSettings.of(
                        Map.of("MLFLOW_TRACKING_URI", "http://mlflow:5000", "PACER_MLFLOW_UI", "ml.example.com")))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("PACER_MLFLOW_UI=ml.example.com: must be http://HOST:PORT");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file:mlruns",
                "sqlite:///mlflow.db",
                "databricks",
                "localhost:5000",
                "http://",
                "http://me:secret@ho st/",
                "http://me:secret@host/?a=b",
                "ftp://me:secret@host"
            })
    void otherAddressesAreRefusedWithoutTheirSecrets(String address) {
        assertThatThrownBy(() -> of(address))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("MLFLOW_TRACKING_URI=")
                .hasMessageContaining("must be http://HOST:PORT")
                .message()
                .doesNotContain("secret");
    }
}
