package pacer.activities.publishing.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantitiesTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    0 | 0.0 s
                    0.0123 | 0.0 s
                    0.42 | 0.4 s
                    59.94 | 59.9 s
                    59.96 | 1 min 00 s
                    185 | 3 min 05 s
                    3599.6 | 1 h 00 min
                    7800 | 2 h 10 min
                    86400 | 1 d 0 h
                    NaN | ?
                    -1 | ?
                    """)
    void durationsReadAsPeopleSayThem(double seconds, String said) {
        assertThat(Quantities.duration(seconds)).isEqualTo(said);
    }

    @ParameterizedTest
    @CsvSource({"0.00123,1.23 ms", "0.0123,12.3 ms", "0.65,650 ms", "1.2,1.2 s", "NaN,?"})
    void stepsAreTimedInMilliseconds(double seconds, String said) {
        assertThat(Quantities.brief(seconds)).isEqualTo(said);
    }

    @ParameterizedTest
    @CsvSource({
        "0,0",
        "7,7",
        "0.5,0.500",
        "812,812",
        "999.4,999",
        "1000,1.00k",
        "62345,62.3k",
        "999499,999k",
        "999500,1.00M",
        "1199999,1.20M",
        "10485760,10.5M",
        "1.5e9,1.50B",
        "2.5e15,2500T",
        "-1500,-1.50k"
    })
    void countsKeepThreeDigits(double number, String said) {
        assertThat(Quantities.count(number)).isEqualTo(said);
    }

    @ParameterizedTest
    @CsvSource({"512,512 B", "1214979,1.21 MB", "25000000000,25.0 GB", "3100000000000,3.10 TB", "1000,1.00 kB"})
    void bytesCarryDecimalUnits(long bytes, String said) {
        assertThat(Quantities.bytes(bytes)).isEqualTo(said);
    }

    @ParameterizedTest
    @CsvSource({
        "0,0",
        "1e-3,1e-3",
        "6.25e-4,6.25e-4",
        "0.00099999,1e-3",
        "3e-4,3e-4",
        "0.018,1.8e-2",
        "0.99999,1",
        "1,1",
        "3.4711,3.47",
        "12.5,12.5",
        "1234,1230"
    })
    void ratesAreWrittenAsAPersonWould(double rate, String said) {
        assertThat(Quantities.rate(rate)).isEqualTo(said);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            0.00123 | $0.0012
            3.276 | $3.28
            1210 | $1,210
            """)
    void moneyKeepsWhatMatters(double amount, String said) {
        assertThat(Quantities.dollars(amount)).isEqualTo(said);
    }
}
