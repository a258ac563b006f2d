package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({
        "200GB,200000000000",
        "500 MB,500000000",
        "2t,2000000000000",
        "12,12",
        "200GiB,214748364800",
        "1Ki,1024",
        "7B,7"
    })
    void isReadAsItIsWritten(String text, long bytes) {
        assertThat(ByteSize.of(text)).hasValue(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.5TB", "many", "", "-1GB", "1PB"})
    void whatIsNoSizeIsNone(String text) {
        assertThat(ByteSize.of(text)).isEmpty();
    }
}
