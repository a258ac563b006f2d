package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** After how much time or money a run is stopped. */
class BudgetTest {
    private static final double PRICE = 24; // dollars an hour

    @ParameterizedTest
    @CsvSource({
        "90min,   5400",
        "2h,      7200",
        "1.5d,    129600",
        "12usd,   1800", // half an hour at 24 dollars an hour
        "0.50 $,  75",
        "6USD,    900",
    })
    void timeAndMoneyComeToSeconds(String written, double seconds) {
        assertThat(Budget.parse(written).secondsLeft(0, PRICE)).hasValue(seconds);
        assertThat(Budget.parse(written).secondsLeft(100, PRICE)).hasValue(seconds - 100);
    }

    @Test
    void ofTimeAndMoneyWhatIsOverFirstCounts() {
        assertThat(Budget.parse("1h,12usd").secondsLeft(0, PRICE)).hasValue(1800);
        assertThat(Budget.parse("12usd, 10min").secondsLeft(0, PRICE)).hasValue(600);
        assertThat(Budget.parse("1h,12usd").secondsLeft(2000, PRICE)).hasValue(-200);
    }

    @Test
    void moneyAtNoPriceIsRefused() {
        assertThatThrownBy(() -> Budget.parse("12usd").require(0))
                .isInstanceOf(BadInputException.class)
                .hasMessage("budget.dollars: the machine's price is not known; set cost.dollarsPerHour");
        assertThatCode(() -> Budget.parse("12usd").require(PRICE)).doesNotThrowAnyException();
        assertThatCode(() -> Budget.parse("2h").require(0)).doesNotThrowAnyException();
    }

    @Test
    void allFaultsAreToldAtOnce() {
        assertThatThrownBy(() -> new Budget(-1.0, 0.0).require(0))
                .hasMessageContainingAll("budget.hours: -1.0", "budget.dollars: 0.0", "price is not known");
        assertThatThrownBy(() -> new Budget(Double.NaN, null).require(0)).hasMessageContaining("budget.hours: NaN");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "2", "h", "0h", "-1h", "2 hours", "1e9h", "2h,", "12eur", "٣h"})
    void whatIsNoBudgetIsRefusedWithAnExample(String written) {
        assertThatThrownBy(() -> Budget.parse(written))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("must be a time or an amount of money, such as 90min, 2h, 1.5d or 12.50usd");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"90min | 1.5 h", "30min | 30 min", "2h,12.50usd | 2 h and 12.5 USD", "100usd | 100 USD"})
    void isToldInWords(String written, String words) {
        assertThat(Budget.parse(written).inWords()).isEqualTo(words);
    }
}
