package pacer.trainer.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import pacer.trainer.ops.DType;

/**
 * Element types of safetensors files, little-endian, in the format's order of increasing alignment (which is also the order
 * in which the reference implementation lays tensors out, greatest first). The format's 4-, 6- and 8-bit floats and complex
 * numbers are left out: nothing here computes with them.
 */
public enum ElementType {
    BOOL(1),
    U8(1),
    I8(1),
    I16(2),
    U16(2),
    F16(2),
    BF16(2),
    I32(4),
    U32(4),
    F32(4),
    F64(8),
    I64(8),
    U64(8);

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** The stored form of a device's element type. */
    public static ElementType of(DType type) {
        return switch (type) {
            case F32 -> F32;
            case BF16 -> BF16;
            case I32 -> I32;
        };
    }

    static Optional<ElementType> named(String name) {
        for (ElementType type : values()) {
            if (type.name().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** Element {@code i} of {@code from} as the nearest float. */
    float floatAt(MemorySegment from, long i) {
        return switch (this) {
            case F32 -> from.get(FLOAT, 4 * i);
            case F16 -> Float.float16ToFloat(from.get(SHORT, 2 * i));
            case BF16 -> Float.intBitsToFloat(from.get(SHORT, 2 * i) << 16);
            case F64 -> (float) from.get(DOUBLE, 8 * i);
            case U64 -> unsignedFloat(from.get(LONG, 8 * i));
            case BOOL, U8, I8, I16, U16, I32, U32, I64 -> (float) longAt(from, i);
        };
    }

    /** Whether every value of this type is an integer that fits a long. */
    boolean fitsLong() {
        return switch (this) {
            case BOOL, U8, I8, I16, U16, I32, U32, I64 -> true;
            case F16, BF16, F32, F64, U64 -> false;
        };
    }

    /** Element {@code i} of {@code from}, of a type that {@linkplain #fitsLong fits}. */
    long longAt(MemorySegment from, long i) {
        return switch (this) {
            case BOOL, U8 -> from.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
            case I8 -> from.get(ValueLayout.JAVA_BYTE, i);
            case I16 -> from.get(SHORT, 2 * i);
            case U16 -> from.get(SHORT, 2 * i) & 0xFFFF;
            case I32 -> from.get(INT, 4 * i);
            case U32 -> from.get(INT, 4 * i) & 0xFFFFFFFFL;
            case I64 -> from.get(LONG, 8 * i);
            case F16, BF16, F32, F64, U64 -> throw new IllegalArgumentException(this + " is no integer type that fits");
        };
    }

    private static float unsignedFloat(long bits) {
        // halved with its last bit kept for rounding, as a long has no room for the sign-less top bit
        return bits >= 0 ? (float) bits : (float) ((bits >>> 1) | (bits & 1)) * 2;
    }
}
