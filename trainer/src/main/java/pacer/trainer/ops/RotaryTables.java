package pacer.trainer.ops;

import java.util.function.DoubleUnaryOperator;

/**
 * Cosines and sines for {@link Operations#rotaryForward}, each (positions, headWidth / 2), row after row. Frequencies and
 * angles are rounded to float as in the PyTorch code of the models that use them: at position 60,000 a float holds an angle to
 * thousandths only, and a more exact one would be another model.
 */
public final class RotaryTables {
    private final int positions;
    private final float[] frequencies;

    private RotaryTables(int positions, float[] frequencies) {
        this.positions = positions;
        this.frequencies = frequencies;
    }

    private float[] of(DoubleUnaryOperator function) {
        float[] values = new float[Math.multiplyExact(positions, frequencies.length)];
        for (int t = 0; t < positions; t++) {
            for (int j = 0; j < frequencies.length; j++) {
                float angle = t * frequencies[j];
                values[t * frequencies.length + j] = (float) function.applyAsDouble(angle);
            }
        }
        return values;
    }

    /**
     * Every pair turns, pair j by base^(-2j/headWidth) a position; Su et al. 2021, there with base 10000.
     *
     * @param headWidth even
     */
    public static RotaryTables full(int headWidth, int positions, double base) {
        float[] frequencies = new float[divided(headWidth, 2)];
        for (int j = 0; j < frequencies.length; j++) {
            frequencies[j] = (float) Math.pow(base, -2.0 * j / headWidth);
        }
        return new RotaryTables(positions, frequencies);
    }

    /**
     * The first half of the pairs turns, by frequencies from 1 to 1/base in equal ratios with both ends; the other half stays.
     * The modded-nanogpt speedrun has it with base 1024 from its 17th record on.
     *
     * @param headWidth a multiple of 4
     */
    public static RotaryTables halfTruncated(int headWidth, int positions, double base) {
        int turning = divided(headWidth, 4);
        float[] frequencies = new float[2 * turning];
        for (int j = 0; j < turning; j++) {
            double exponent = turning == 1 ? 0 : (double) j / (turning - 1);
            frequencies[j] = (float) Math.pow(base, -exponent);
        }
        return new RotaryTables(positions, frequencies);
    }

    private static int divided(int headWidth, int divisor) {
        if (headWidth < divisor || headWidth % divisor != 0) {
            throw new IllegalArgumentException(
                    "rotary positions need heads whose width is a multiple of " + divisor + ", not " + headWidth);
        }
        return headWidth / divisor;
    }

    /** Numbers of a position: headWidth / 2. */
    public int columns() {
        return frequencies.length;
    }

    /** (positions, headWidth / 2), worked out at each call. */
    public float[] cosines() {
        return of(Math::cos);
    }

    /** (positions, headWidth / 2), worked out at each call. */
    public float[] sines() {
        return of(Math::sin);
    }
}
