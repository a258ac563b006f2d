package pacer.trainer.ops;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;

/**
 * The tensors of one {@link Scenario} on one device. They lie in a block of memory that the device allocated once, with
 * guard bytes around and, where rows are strided, between them. Values depend on seed and name alone; where they lie
 * depends on the stage: the oracle's are contiguous F32, so that its results are neither rounded to BF16 nor touched by
 * strides; the others' are laid out at random as contiguous, padded or columns of something wider.
 *
 * <p>Declare first, then compute: the first call of {@link #operations()} copies everything declared to the device.
 */
final class Stage {

    /** What a device is asked to do, written once for the device under test and for the oracle. */
    interface Scenario {
        void play(Stage stage);
    }

    /** How far a value may lie from the oracle's: {@code absolute + relative · |expected|}. */
    record Tolerance(double relative, double absolute) {
        static final Tolerance EXACT = new Tolerance(0, 0);
        /** For what a device may leave as it likes. */
        static final Tolerance ANYTHING = new Tolerance(0, Double.POSITIVE_INFINITY);
    }

    /** A declared tensor; {@code tolerance} is null for what an operation must leave alone. */
    record Declared(Tensor tensor, long firstByte, Tolerance tolerance) {}

    /** A number that an operation returned. */
    record Scalar(String name, double value, Tolerance tolerance) {}

    private static final int GUARD = 64;
    /** A signalling NaN in every float, and a NaN in every bfloat16: what is read by mistake does not go unnoticed. */
    private static final int GUARD_WORD = 0x7FA57FA5;

    private final Device device;
    private final Tensor block; // (words) I32
    private final Map<String, float[]> drawn;
    private final boolean oracle;
    private final long seed;
    private final Random layout;
    private final MemorySegment host;
    private MemorySegment image = MemorySegment.ofArray(new byte[1 << 14]);
    private final List<Declared> declared = new ArrayList<>();
    private final List<Scalar> scalars = new ArrayList<>();
    private int usedWords;
    private boolean written;

    /**
     * @param block memory of the device for all tensors
     * @param host off-heap memory as large as the block, to copy through
     * @param drawn random values by tensor, drawn by the first of a case's stages and reused by the others
     */
    Stage(Device device, Tensor block, MemorySegment host, Map<String, float[]> drawn, boolean oracle, long seed) {
        this.device = device;
        this.block = block;
        this.host = host;
        this.drawn = drawn;
        this.oracle = oracle;
        this.seed = seed;
        this.layout = new Random(seed);
    }

    Operations operations() {
        if (!written) {
            use(GUARD);
            MemorySegment bytes = host.asSlice(0, usedWords * 4L);
            bytes.copyFrom(image.asSlice(0, bytes.byteSize()));
            device.write(used(), bytes);
            written = true;
        }
        return device.operations();
    }

    /** A tensor that is read; standard normal values. */
    Tensor in(String name, DType dtype, int... shape) {
        return inNormal(name, dtype, 0, 1, shape);
    }

    /** A tensor that is read; normal values. */
    Tensor inNormal(String name, DType dtype, double mean, double deviation, int... shape) {
        return declare(name, dtype, layout.nextInt(3), normal(name, mean, deviation, shape), null, shape);
    }

    /** A tensor of given values that is read. */
    Tensor given(String name, DType dtype, float[] values, int... shape) {
        return declare(name, dtype, layout.nextInt(3), values, null, shape);
    }

    /** A tensor of given values that is read and written. */
    Tensor given(String name, DType dtype, float[] values, Tolerance tolerance, int... shape) {
        return declare(name, dtype, layout.nextInt(3), values, tolerance, shape);
    }

    /** A contiguous tensor that is read; normal values. */
    Tensor vector(String name, double mean, double deviation, int... shape) {
        return declare(name, DType.F32, 0, normal(name, mean, deviation, shape), null, shape);
    }

    /** A contiguous tensor of integers that is read. */
    Tensor integers(String name, IntUnaryOperator values, int... shape) {
        float[] exact = new float[size(shape)];
        for (int i = 0; i < exact.length; i++) {
            exact[i] = values.applyAsInt(i);
        }
        return declare(name, DType.I32, 0, exact, null, shape);
    }

    /** A tensor that is overwritten; NaN before. */
    Tensor out(String name, DType dtype, Tolerance tolerance, int... shape) {
        return declare(name, dtype, layout.nextInt(3), nans(shape), tolerance, shape);
    }

    /** A contiguous tensor that is overwritten; NaN before. */
    Tensor outVector(String name, Tolerance tolerance, int... shape) {
        return declare(name, DType.F32, 0, nans(shape), tolerance, shape);
    }

    /** The same of {@code dtype}. */
    Tensor outVector(String name, DType dtype, Tolerance tolerance, int... shape) {
        return declare(name, dtype, 0, nans(shape), tolerance, shape);
    }

    /** A tensor that is read and written, or added to; standard normal before. */
    Tensor sum(String name, DType dtype, Tolerance tolerance, int... shape) {
        return sumNormal(name, dtype, 1, tolerance, shape);
    }

    /** A tensor that is read and written, or added to; normal around zero before. */
    Tensor sumNormal(String name, DType dtype, double deviation, Tolerance tolerance, int... shape) {
        return declare(name, dtype, layout.nextInt(3), normal(name, 0, deviation, shape), tolerance, shape);
    }

    /** A contiguous tensor that is read and written; normal values before. */
    Tensor sumVector(String name, double mean, double deviation, Tolerance tolerance, int... shape) {
        return declare(name, DType.F32, 0, normal(name, mean, deviation, shape), tolerance, shape);
    }

    /** Overwritten where {@code accumulate} is false, added to where it is true. */
    Tensor target(boolean accumulate, String name, DType dtype, Tolerance tolerance, int... shape) {
        return accumulate ? sum(name, dtype, tolerance, shape) : out(name, dtype, tolerance, shape);
    }

    void result(String name, double value, Tolerance tolerance) {
        scalars.add(new Scalar(name, value, tolerance));
    }

    private float[] normal(String name, double mean, double deviation, int[] shape) {
        return drawn.computeIfAbsent(name, n -> {
            SplittableRandom random = new SplittableRandom(seed * 31 + n.hashCode());
            float[] values = new float[size(shape)];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (mean + deviation * random.nextGaussian());
            }
            return values;
        });
    }

    private static float[] nans(int[] shape) {
        float[] values = new float[size(shape)];
        Arrays.fill(values, Float.NaN);
        return values;
    }

    private static int size(int[] shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Kinds of layout: 0 contiguous, 1 rows padded to whole cache lines, 2 columns of something wider. */
    private Tensor declare(String name, DType dtype, int kind, float[] values, Tolerance tolerance, int... shape) {
        if (written) {
            throw new IllegalStateException("declare " + name + " before the first operation");
        }
        int columns = shape[shape.length - 1];
        int before = kind == 2 ? layout.nextInt(20) : 0;
        int after = kind == 2 ? layout.nextInt(20) : kind == 1 ? -columns & (64 / dtype.bytes() - 1) : 0;
        DType stored = oracle && dtype == DType.BF16 ? DType.F32 : dtype;
        int stride = oracle ? columns : before + columns + after;
        int skipped = oracle ? 0 : before;
        int words = Math.ceilDiv(values.length / columns * stride * stored.bytes(), 4 * GUARD) * GUARD;
        long firstByte = (usedWords + GUARD) * 4L + (long) skipped * stored.bytes();
        use(GUARD + words);
        Tensor tensor = new Tensor(name, stored, block.address() + firstByte, stride, shape);
        for (int i = 0; i < values.length; i++) {
            long at = byteOf(tensor, firstByte, i);
            float value = dtype == DType.BF16 ? BFloat16.round(values[i]) : values[i];
            switch (stored) {
                case F32 -> image.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, value);
                case BF16 -> image.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, BFloat16.fromFloat(value));
                case I32 -> image.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) value);
            }
        }
        declared.add(new Declared(tensor, firstByte, tolerance));
        return tensor;
    }

    /** Takes the next words of the block, filled with guards. */
    private void use(int words) {
        if ((usedWords + words) * 4L > image.byteSize()) {
            MemorySegment larger = MemorySegment.ofArray(new byte[2 * (usedWords + words) * 4]);
            image = larger.copyFrom(image);
        }
        for (int w = usedWords; w < usedWords + words; w++) {
            image.set(ValueLayout.JAVA_INT_UNALIGNED, w * 4L, GUARD_WORD);
        }
        usedWords += words;
    }

    private static long byteOf(Tensor tensor, long firstByte, int i) {
        long element = i / tensor.columns() * tensor.rowStride() + i % tensor.columns();
        return firstByte + element * tensor.dtype().bytes();
    }

    private Tensor used() {
        return block.slice("stage", 0, usedWords);
    }

    // ------------------------------------------------------------------ afterwards

    List<Declared> declared() {
        return declared;
    }

    List<Scalar> scalars() {
        return scalars;
    }

    /** Every byte of the stage as the device holds it now. */
    byte[] bytes() {
        MemorySegment bytes = host.asSlice(0, usedWords * 4L);
        device.read(used(), bytes);
        return bytes.toArray(ValueLayout.JAVA_BYTE);
    }

    /** Every byte of the stage as it was before the first operation, except those that were to be written: as now. */
    byte[] bytesExpected(byte[] now) {
        byte[] expected = image.asSlice(0, now.length).toArray(ValueLayout.JAVA_BYTE);
        for (Declared d : declared) {
            for (int i = 0; d.tolerance() != null && i < d.tensor().size(); i++) {
                int at = (int) byteOf(d.tensor(), d.firstByte(), i);
                System.arraycopy(now, at, expected, at, d.tensor().dtype().bytes());
            }
        }
        return expected;
    }

    /** Element {@code i} of a declared tensor in {@code bytes}. */
    static double value(Declared d, byte[] bytes, int i) {
        MemorySegment memory = MemorySegment.ofArray(bytes);
        long at = byteOf(d.tensor(), d.firstByte(), i);
        return switch (d.tensor().dtype()) {
            case F32 -> memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
            case BF16 -> BFloat16.toFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
            case I32 -> memory.get(ValueLayout.JAVA_INT_UNALIGNED, at);
        };
    }

    /** Which tensor, or which guard, holds byte {@code at}. */
    String describe(int at) {
        for (Declared d : declared) {
            long bytes = ((d.tensor().rows() - 1) * d.tensor().rowStride()
                            + d.tensor().columns())
                    * d.tensor().dtype().bytes();
            if (at >= d.firstByte() && at < d.firstByte() + bytes) {
                return "byte " + (at - d.firstByte()) + " of " + d.tensor() + ", row stride "
                        + d.tensor().rowStride();
            }
        }
        return "byte " + at + " of the stage, between tensors";
    }
}
