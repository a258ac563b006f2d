package pacer.activities.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;

class StoreSettingsTest {
    @Test
    void thereIsNoneWhereNoneIsNamed() {
        assertThat(StoreSettings.of(Map.of())).isEmpty();
        assertThat(StoreSettings.of(Map.of("PACER_STORE", " "))).isEmpty();
    }

    @Test
    void variablesOfTheAwsToolsCount() {
        StoreSettings settings = StoreSettings.of(Map.of(
                        "PACER_STORE", "s3://bucket/a/b/",
                        "AWS_ENDPOINT_URL", "http://other:1",
                        "AWS_ENDPOINT_URL_S3", "http://127.0.0.1:7070",
                        "AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_REQUIRED"))
                .orElseThrow();
        assertThat(settings.place()).isEqualTo(new S3Address("bucket", "a/b"));
        assertThat(settings.place()).hasToString("s3://bucket/a/b");
        assertThat(settings.access().endpoint()).contains(URI.create("http://127.0.0.1:7070"));
        assertThat(settings.access().region()).contains("us-east-1");
        assertThat(settings.access().checksums()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bucket/prefix",
                "https://bucket/x",
                "s3://",
                "s3://B/x",
                "s3://b",
                "s3://bucket/a//b",
                "s3://bucket/../x"
            })
    void whatIsNoPlaceIsRefused(String place) {
        assertThatThrownBy(() -> StoreSettings.of(Map.of("PACER_STORE", place)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("PACER_STORE: '" + place + "'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:7070", "http://me:hidden@host", "ftp://host", "http://"})
    void whatIsNoEndpointIsRefusedWithoutWhatItHolds(String endpoint) {
        assertThatThrownBy(
                        () -> StoreSettings.of(Map.of("PACER_STORE", "s3://bucket", "AWS_ENDPOINT_URL_S3", endpoint)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("http://HOST:PORT")
                .hasMessageNotContaining("hidden");
    }
}
