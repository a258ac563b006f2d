package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RotaryTablesTest {

    @Test
    void pairsOfTheFullTableTurnByPowersOfTheBase() {
        RotaryTables tables = RotaryTables.full(4, 3, 10000); // frequencies 1 and 1/100
        float[] cosines = {
            1, 1, (float) Math.cos(1), (float) Math.cos(0.01), (float) Math.cos(2), (float) Math.cos(0.02)
        };
        float[] sines = {0, 0, (float) Math.sin(1), (float) Math.sin(0.01), (float) Math.sin(2), (float) Math.sin(0.02)
        };
        assertThat(tables.cosines()).containsExactly(cosines, within(1e-7f));
        assertThat(tables.sines()).containsExactly(sines, within(1e-7f));
    }

    /** (1/1024) ** linspace(0, 1, 3) is 1, 1/32, 1/1024; then as many zeros. */
    @Test
    void halfOfTheTruncatedTableStandsStill() {
        RotaryTables tables = RotaryTables.halfTruncated(12, 2, 1024);
        float[] angles = {1, 1f / 32, 1f / 1024, 0, 0, 0};
        for (int j = 0; j < 6; j++) {
            assertThat(tables.cosines()[j]).isEqualTo(1);
            assertThat(tables.sines()[j]).isZero();
            assertThat(tables.cosines()[6 + j]).isEqualTo((float) Math.cos(angles[j]));
            assertThat(tables.sines()[6 + j]).isEqualTo((float) Math.sin(angles[j]));
        }
    }

    @Test
    void oneTurningPairTurnsByOne() {
        assertThat(RotaryTables.halfTruncated(4, 2, 1024).sines())
                .containsExactly(new float[] {0, 0, (float) Math.sin(1), 0});
    }

    @Test
    void anglesAreProductsOfFloats() {
        float frequency = (float) Math.pow(1024, -1.0 / 7); // second of eight turning pairs
        int position = 60_001;
        RotaryTables tables = RotaryTables.halfTruncated(32, position + 1, 1024);
        float rounded = position * frequency;
        double exact = position * Math.pow(1024, -1.0 / 7);
        assertThat(tables.sines()[position * 16 + 1])
                .isEqualTo((float) Math.sin(rounded))
                .isNotEqualTo((float) Math.sin(exact));
    }

    @Test
    void refusesWidthsThatDoNotDivide() {
        assertThatThrownBy(() -> RotaryTables.full(5, 2, 10000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("rotary positions need heads whose width is a multiple of 2, not 5");
        assertThatThrownBy(() -> RotaryTables.halfTruncated(6, 2, 1024)).hasMessageContaining("a multiple of 4, not 6");
    }
}
