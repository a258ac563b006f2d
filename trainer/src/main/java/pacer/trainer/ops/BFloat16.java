package pacer.trainer.ops;

/** bfloat16: the upper half of a float, as {@link DType#BF16} keeps it. */
public final class BFloat16 {

    private BFloat16() {}

    /** The bits of the bfloat16 nearest to {@code value}, ties to even; NaN stays NaN, what is too large becomes infinite. */
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40); // quiet: a payload in the lower half alone must not become infinity
        }
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }

    /** The same number as a float; exact. */
    public static float toFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** {@code value} rounded to the nearest bfloat16. */
    public static float round(float value) {
        return toFloat(fromFloat(value));
    }
}
