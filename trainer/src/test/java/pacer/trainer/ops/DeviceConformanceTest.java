package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.Stage.Tolerance;

/**
 * What every {@link Device} must do: each operation against the reference over odd sizes, F32 and BF16, contiguous and
 * strided, overwriting and adding; nothing else written; the same bits whenever and from whichever thread it is called. A
 * device is put to it by a subclass that says how to make one.
 */
public abstract class DeviceConformanceTest extends RuleConformance {

    // ------------------------------------------------------------------ memory

    @Test
    void allocatesZeroedContiguousAlignedTensors() {
        for (DType dtype : DType.values()) {
            long before = device.allocatedBytes();
            Tensor t = device.allocate("fresh", dtype, 3, 5, 7);
            assertThat(t.shape()).containsExactly(3, 5, 7);
            assertThat(t.dtype()).isEqualTo(dtype);
            assertThat(t.isContiguous()).isTrue();
            assertThat(t.address() % 64).isZero();
            assertThat(device.allocatedBytes() - before).isGreaterThanOrEqualTo(t.size() * dtype.bytes());
            assertThat(read(t)).containsOnly(0);
        }
    }

    @Test
    void padsRowsSoThatEachStartsAligned() {
        for (DType dtype : NUMBERS) {
            for (int columns : COLUMNS) {
                Tensor t = device.allocatePadded("padded", dtype, 3, columns);
                for (int r = 0; r < 3; r++) {
                    assertThat(t.rowAddress(r) % 64).as("%s row %d", t, r).isZero();
                }
                assertThat(t.rowStride()).isBetween((long) columns, columns + 128L);
            }
        }
    }

    @Test
    void readsWhatWasWritten() {
        Tensor whole = device.allocate("whole", DType.I32, 4, 6);
        int[] values = new Random(1).ints(24).toArray();
        write(whole, values);
        write(whole.slice("middle", 6, 2, 6), new int[12]);
        Arrays.fill(values, 6, 18, 0);
        assertThat(readInts(whole)).containsExactly(values);
    }

    @Test
    void refusesToCopyOtherSizesAndStridedTensors() {
        Tensor t = device.allocate("target", DType.F32, 4, 6);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tooSmall = arena.allocate(4 * 6 * 4 - 1);
            assertThatThrownBy(() -> device.write(t, tooSmall))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("target (4, 6) F32");
            MemorySegment tooLarge = arena.allocate(4 * 6 * 4 + 1);
            assertThatThrownBy(() -> device.read(t, tooLarge)).isInstanceOf(IllegalArgumentException.class);
            MemorySegment columns = arena.allocate(4 * 3 * 4);
            assertThatThrownBy(() -> device.write(t.columns("columns", 0, 3), columns))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void operationsTakeEffectInOrder() {
        trials.play("add, add, convert, add", s -> {
            Tensor a = s.in("a", DType.F32, 65, 33);
            Tensor b = s.sum("b", DType.F32, Tolerance.EXACT, 65, 33);
            Tensor c = s.out("c", DType.F32, Tolerance.EXACT, 65, 33);
            Operations o = s.operations();
            o.add(b, b, a);
            o.add(b, b, b);
            o.convert(c, b);
            o.zero(b);
        });
    }

    @Test
    void refusesShapesThatDoNotFit() {
        Tensor in = device.allocate("ln_2", DType.F32, 768, 64);
        Tensor weight = device.allocate("c_fc", DType.F32, 512, 128);
        Tensor out = device.allocate("fc", DType.F32, 768, 512);
        assertThatThrownBy(() -> device.operations().linearForward(out, in, weight, null, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("linearForward: weight c_fc (512, 128) F32 does not match in ln_2 (768, 64) F32: "
                        + "columns must be equal");
    }

    // ------------------------------------------------------------------ elementwise

    @Test
    void activationForward() {
        for (Activation activation : Activation.values()) {
            forElements(
                    "activationForward " + activation,
                    (name, dtype, rows, c) -> trials.play(name, s -> {
                        Tensor out = s.out("out", dtype, ofActivation(activation, 1), rows, c);
                        Tensor in = s.sumNormal("in", DType.F32, 2, Tolerance.ANYTHING, rows, c);
                        s.operations().activationForward(out, in, activation);
                    }));
        }
    }

    @Test
    void activationBackward() {
        for (Activation activation : Activation.values()) {
            forElements(
                    "activationBackward " + activation,
                    (name, dtype, rows, c) -> trials.play(name, s -> {
                        boolean inPlace = dtype == DType.F32 && flag(name, 1);
                        Tolerance tolerance = ofActivation(activation, 4);
                        Tensor in = s.sumNormal("in", DType.F32, 2, Tolerance.ANYTHING, rows, c);
                        Tensor out = s.out("out", dtype, ofActivation(activation, 1), rows, c);
                        Tensor dOut = inPlace
                                ? s.sum("dOut", DType.F32, tolerance, rows, c)
                                : s.in("dOut", DType.F32, rows, c);
                        Tensor dIn = inPlace ? dOut : s.out("dIn", dtype, tolerance, rows, c);
                        s.operations().activationForward(out, in, activation);
                        s.operations().activationBackward(dIn, dOut, in, activation);
                    }));
        }
    }

    @Test
    void activationsAreFiniteAndRightFarOut() {
        float[] far = {0f, -0f, 1e-30f, -1e-30f, 3f, -3f, 5.5f, -5.5f, 9f, -9f, 20f, -20f, 100f, -100f, 1e4f, -1e4f};
        for (Activation activation : Activation.values()) {
            trials.play("far out " + activation, s -> {
                Tensor in = s.given("in", DType.F32, far, Tolerance.ANYTHING, far.length);
                Tensor out = s.out("out", DType.F32, ofActivation(activation, 1), far.length);
                Tensor dOut = s.in("dOut", DType.F32, far.length);
                Tensor dIn = s.out("dIn", DType.F32, ofActivation(activation, 4), far.length);
                s.operations().activationForward(out, in, activation);
                s.operations().activationBackward(dIn, dOut, in, activation);
            });
        }
    }

    /** erf and tanh may be approximated to about a float's absolute precision; relu² has nothing to approximate. */
    private static Tolerance ofActivation(Activation activation, int size) {
        return activation == Activation.RELU_SQUARED ? within(4, 0) : within(32, 16 * size);
    }

    @Test
    void dropout() {
        for (int rows : ROWS) {
            for (int c : COLUMNS) {
                String name = "dropout rows=" + rows + " C=" + c;
                trials.play(name, s -> {
                    boolean inPlace = flag(name, 1);
                    Tensor out = inPlace
                            ? s.sum("out", DType.F32, Tolerance.EXACT, rows, c)
                            : s.out("out", DType.F32, Tolerance.EXACT, rows, c);
                    Tensor in = inPlace ? out : s.in("in", DType.F32, rows, c);
                    Dropout half = new Dropout(0.5f, Dropout.key(1, rows, c), (1L << 32) - 3);
                    s.operations().dropout(out, in, half);
                });
            }
        }
    }

    @Test
    void add() {
        for (int rows : ROWS) {
            for (int c : COLUMNS) {
                String name = "add rows=" + rows + " C=" + c;
                trials.play(name, s -> {
                    boolean inPlace = flag(name, 1);
                    Tensor out = inPlace
                            ? s.sum("out", DType.F32, Tolerance.EXACT, rows, c)
                            : s.out("out", DType.F32, Tolerance.EXACT, rows, c);
                    Tensor a = inPlace ? out : s.in("a", DType.F32, rows, c);
                    Tensor b = s.in("b", DType.F32, rows, c);
                    s.operations().add(out, a, b);
                });
            }
        }
    }

    @Test
    void convert() {
        for (DType from : NUMBERS) {
            forElements(
                    "convert from " + from,
                    (name, dtype, rows, c) -> trials.play(name, s -> {
                        Tensor out = s.out("out", dtype, Tolerance.EXACT, rows, c);
                        Tensor in = s.in("in", from, rows, c);
                        s.operations().convert(out, in);
                    }));
        }
    }

    @Test
    void conversionToBf16RoundsTiesToEvenAndKeepsNanAndInfinity() {
        float[] values = {
            1f,
            Float.intBitsToFloat(0x3F808000), // tie, down to even
            Float.intBitsToFloat(0x3F818000), // tie, up to even
            Float.intBitsToFloat(0x3F808001),
            Float.intBitsToFloat(0x3F817FFF),
            -Float.intBitsToFloat(0x3F818000),
            0f,
            -0f,
            Float.MIN_NORMAL,
            Float.MAX_VALUE, // rounds to infinity
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.NaN,
            Float.intBitsToFloat(0x7F800001), // a NaN that truncation would turn into infinity
            Float.intBitsToFloat(0xFFFFFFFF), // a NaN that rounding up would turn into zero
        };
        for (int copies : new int[] {1, 9}) {
            int n = values.length * copies;
            Tensor in = device.allocate("in", DType.F32, n);
            Tensor out = device.allocate("out", DType.BF16, n);
            int[] bits = new int[n];
            Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i % values.length]));
            write(in, bits);
            device.operations().convert(out, in);
            short[] converted = MemorySegment.ofArray(read(out)).toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
            for (int i = 0; i < n; i++) {
                float value = values[i % values.length];
                if (Float.isNaN(value)) {
                    assertThat(BFloat16.toFloat(converted[i]))
                            .as("element %d", i)
                            .isNaN();
                } else {
                    assertThat(converted[i]).as("element %d, %s", i, value).isEqualTo(BFloat16.fromFloat(value));
                }
            }
        }
    }

    @Test
    void zero() {
        for (DType dtype : NUMBERS) {
            for (int rows : ROWS) {
                for (int c : COLUMNS) {
                    trials.play("zero " + dtype + " rows=" + rows + " C=" + c, s -> {
                        Tensor tensor = s.out("tensor", dtype, Tolerance.EXACT, rows, c);
                        s.operations().zero(tensor);
                    });
                }
            }
        }
    }

    private interface ElementsCase {
        void play(String name, DType dtype, int rows, int c);
    }

    private static void forElements(String op, ElementsCase body) {
        for (DType dtype : NUMBERS) {
            for (int rows : ROWS) {
                for (int c : COLUMNS) {
                    body.play(op + " " + dtype + " rows=" + rows + " C=" + c, dtype, rows, c);
                }
            }
        }
    }

    // ------------------------------------------------------------------ loss

    private static final float[] SOFTCAPS = {0, 2, 15};

    @Test
    void crossEntropy() {
        for (int rows : ROWS) {
            for (int v : VOCABULARIES) {
                for (float softcap : SOFTCAPS) {
                    for (float scale : new float[] {1, 1f / 768}) {
                        String name =
                                "crossEntropy rows=" + rows + " V=" + v + " scale=" + scale + " softcap=" + softcap;
                        trials.play(name, s -> {
                            Tensor losses = s.outVector("losses", within(16, 64 + 16 * softcap), rows);
                            Tolerance gradient = within(128 + 32 * softcap, 32 * scale);
                            Tensor logits = s.sumNormal("logits", DType.F32, 3, gradient, rows, v);
                            Tensor targets = s.integers("targets", targets(name, v), rows);
                            s.operations().crossEntropy(losses, logits, targets, scale, softcap);
                        });
                    }
                }
            }
        }
    }

    @Test
    void crossEntropyForward() {
        for (int rows : ROWS) {
            for (int v : VOCABULARIES) {
                for (float softcap : SOFTCAPS) {
                    String name = "crossEntropyForward rows=" + rows + " V=" + v + " softcap=" + softcap;
                    trials.play(name, s -> {
                        Tensor losses = s.outVector("losses", within(16, 64 + 16 * softcap), rows);
                        Tensor logits = s.inNormal("logits", DType.F32, 0, 3, rows, v);
                        Tensor targets = s.integers("targets", targets(name, v), rows);
                        s.operations().crossEntropyForward(losses, logits, targets, softcap);
                    });
                }
            }
        }
    }

    @Test
    void crossEntropySurvivesLargeLogits() {
        for (float softcap : SOFTCAPS) {
            trials.play("crossEntropy of large logits, softcap=" + softcap, s -> {
                Tensor losses = s.outVector("losses", within(16, 64 + 16 * softcap), 7);
                Tensor logits = s.sumNormal("logits", DType.F32, 1e4, within(128 + 32 * softcap, 32), 7, 77);
                Tensor targets = s.integers("targets", i -> i * 10, 7);
                s.operations().crossEntropy(losses, logits, targets, 1, softcap);
            });
        }
    }

    private static IntUnaryOperator targets(String name, int v) {
        int[] targets = new Random(name.hashCode()).ints(1000, 0, v).toArray();
        return i -> i % 5 == 2 ? -1 : targets[i];
    }

    // ------------------------------------------------------------------ optimizers

    private static final int[] COUNTS = {1, 5, 64, 1000, 4099, 100_003};

    @Test
    void sum() {
        for (int n : COUNTS) {
            for (int count : new int[] {1, 2, 3, 7}) {
                String name = "sum n=" + n + " sources=" + count;
                trials.play(name, s -> {
                    Tensor[] sources = new Tensor[count];
                    Arrays.setAll(sources, i -> s.vector("source " + i, 0, 1, n));
                    Tensor out = s.outVector("out", sumOf(count), n);
                    s.operations().sum(out, sources, from(name, n), to(name, n));
                });
                trials.play(name + " into the first source", s -> {
                    Tensor[] sources = new Tensor[count];
                    Tensor out = s.sumVector("out", 0, 1, sumOf(count), n);
                    Arrays.setAll(sources, i -> i == 0 ? out : s.vector("source " + i, 0, 1, n));
                    s.operations().sum(out, sources, from(name, n), to(name, n));
                });
            }
        }
    }

    @Test
    void sumOfSquares() {
        for (int n : COUNTS) {
            String name = "sumOfSquares n=" + n;
            trials.play(name, s -> {
                Tensor tensor = s.vector("tensor", 0.1, 1, n);
                double whole = s.operations().sumOfSquares(tensor, 0, n);
                s.result("whole", whole, new Tolerance(1e-6, 0));
                double part = s.operations().sumOfSquares(tensor, from(name, n), to(name, n));
                s.result("part", part, new Tolerance(1e-6, 0));
                s.result("nothing", s.operations().sumOfSquares(tensor, n, n), Tolerance.EXACT);
            });
        }
    }

    @Test
    void sumOfSquaresTellsNanAndInfinity() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (int at : new int[] {0, 63, 64, 99}) {
                trials.play("sumOfSquares with " + bad + " at " + at, s -> {
                    float[] values = new float[100];
                    values[at] = bad;
                    Tensor tensor = s.given("tensor", DType.F32, values, 100);
                    s.result("with it", s.operations().sumOfSquares(tensor, 0, 100), Tolerance.EXACT);
                    s.result("before it", s.operations().sumOfSquares(tensor, 0, at), Tolerance.EXACT);
                });
            }
        }
    }

    @Test
    void adamW() {
        for (int n : COUNTS) {
            for (long step : new long[] {1, 10, 100_000}) {
                String name = "adamW n=" + n + " step=" + step;
                trials.play(name, s -> {
                    float rate = 1e-2f;
                    Tensor weights = s.sumVector("weights", 0, 1, new Tolerance(4 * EPS, rate * 512 * EPS), n);
                    Tensor gradients = s.vector("gradients", 0, 1, n);
                    Tensor first = s.sumVector("firstMoment", 0, 1, within(4, 8), n);
                    Tensor second = s.sumVector("secondMoment", 6, 1, within(16, 0), n);
                    Operations.AdamW settings = new Operations.AdamW(0.9f, flag(name, 1) ? 0.95f : 0.999f, 1e-8f);
                    float decay = flag(name, 2) ? 0.1f : 0;
                    for (int i = 0; i < 2; i++) {
                        s.operations()
                                .adamW(
                                        weights,
                                        gradients,
                                        first,
                                        second,
                                        from(name, n),
                                        to(name, n),
                                        settings,
                                        rate,
                                        decay,
                                        0.37f,
                                        step + i);
                    }
                });
            }
        }
    }

    private static int from(String name, int n) {
        return flag(name, 11) ? 0 : n / 3;
    }

    private static int to(String name, int n) {
        return flag(name, 12) ? n : n - n / 5;
    }

    // ------------------------------------------------------------------ host copies

    private byte[] read(Tensor tensor) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment host = arena.allocate(tensor.size() * tensor.dtype().bytes());
            device.read(tensor, host);
            return host.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private int[] readInts(Tensor tensor) {
        return MemorySegment.ofArray(read(tensor)).toArray(ValueLayout.JAVA_INT_UNALIGNED);
    }

    private void write(Tensor tensor, int[] values) {
        try (Arena arena = Arena.ofShared()) {
            device.write(tensor, arena.allocateFrom(ValueLayout.JAVA_INT, values));
        }
    }
}
