package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.Stage.Scenario;
import pacer.trainer.ops.Stage.Tolerance;
import pacer.trainer.ops.reference.ReferenceDevice;

/** Devices with one fault each, and what the suite says about them. */
class TrialsTest {

    /** What a faulty device does after it has computed rightly; {@code arguments} are the operation's. */
    private interface Fault {
        void commit(ReferenceDevice device, Object[] arguments, int call);
    }

    private static final Scenario ADDITION = s -> {
        Tensor out = s.out("out", DType.F32, Tolerance.EXACT, 7, 33);
        Tensor a = s.in("a", DType.F32, 7, 33);
        Tensor b = s.in("b", DType.F32, 7, 33);
        s.operations().add(out, a, b);
    };

    private static final Scenario CONVERSION = s -> {
        Tensor out = s.out("out", DType.BF16, Tolerance.EXACT, 7, 33);
        Tensor in = s.in("in", DType.F32, 7, 33);
        s.operations().convert(out, in);
    };

    @Test
    void findsNothingWrongWithoutFault() {
        assertThatCode(() -> play(ADDITION, (d, arguments, call) -> {})).doesNotThrowAnyException();
        assertThatCode(() -> play(CONVERSION, (d, arguments, call) -> {})).doesNotThrowAnyException();
    }

    @Test
    void findsAValueThatIsSlightlyOff() {
        assertFault(ADDITION, (d, arguments, call) -> scale(d, element((Tensor) arguments[0], 6, 32), 1 + 1e-6f))
                .hasMessageContaining("out (7, 33) F32 with row stride")
                .hasMessageContaining("row 6, column 32: ")
                .hasMessageContaining("pacer.conformance.seed=1");
    }

    @Test
    void findsAnElementThatWasLeftOut() {
        assertFault(ADDITION, (d, arguments, call) -> scale(d, element((Tensor) arguments[0], 3, 0), Float.NaN))
                .hasMessageContaining("row 3, column 0: NaN");
    }

    @Test
    void findsAWriteBehindTheEnd() {
        assertFault(ADDITION, (d, arguments, call) -> scale(d, element((Tensor) arguments[0], 6, 33), 2))
                .hasMessageContaining("was written and must not be");
    }

    @Test
    void findsAWriteBeforeTheStart() {
        assertFault(ADDITION, (d, arguments, call) -> scale(d, element((Tensor) arguments[0], 0, -1), 2))
                .hasMessageContaining("was written and must not be");
    }

    @Test
    void findsAChangedInput() {
        assertFault(ADDITION, (d, arguments, call) -> scale(d, element((Tensor) arguments[2], 2, 5), 2))
                .hasMessageContaining("of b (7, 33) F32")
                .hasMessageContaining("was written and must not be");
    }

    @Test
    void findsResultsThatChangeFromCallToCall() {
        Scenario loose = s -> {
            Tensor out = s.out("out", DType.F32, new Tolerance(1e-3, 1e-3), 7, 33);
            Tensor in = s.in("in", DType.F32, 7, 33);
            s.operations().convert(out, in);
        };
        assertFault(loose, (d, arguments, call) -> {
                    if (call == 2) {
                        scale(d, element((Tensor) arguments[0], 0, 0), 1 + 1e-6f);
                    }
                })
                .hasMessageContaining("out (7, 33) F32")
                .hasMessageContaining("differs when called again");
        assertFault(loose, (d, arguments, call) -> {
                    if (call == 3) {
                        scale(d, element((Tensor) arguments[0], 0, 0), 1 + 1e-6f);
                    }
                })
                .hasMessageContaining("differs when called from another thread");
    }

    @Test
    void findsTruncationWhereBf16MustBeRounded() {
        assertFault(CONVERSION, (d, arguments, call) -> {
                    double[][] values = d.load((Tensor) arguments[1]);
                    for (double[] row : values) {
                        for (int c = 0; c < row.length; c++) {
                            row[c] = Float.intBitsToFloat(Float.floatToRawIntBits((float) row[c]) & 0xFFFF0000);
                        }
                    }
                    d.store((Tensor) arguments[0], values);
                })
                .hasMessageContaining("out (7, 33) BF16");
    }

    @Test
    void findsADeviceThatReadsPadding() {
        Scenario sum = s -> {
            Tensor out = s.out("out", DType.F32, new Tolerance(1e-5, 1e-5), 3, 5);
            Tensor in = s.in("in", DType.F32, 3, 7);
            Tensor weight = s.in("weight", DType.F32, 5, 7);
            s.operations().linearForward(out, in, weight, null, false);
        };
        assertFault(sum, (d, arguments, call) -> {
            Tensor in = (Tensor) arguments[1];
            double behind = d.load(element(in, 2, 7))[0][0];
            Tensor out = (Tensor) arguments[0];
            double[][] values = d.load(out);
            values[2][4] += 0 * behind;
            d.store(out, values);
        });
    }

    private static AbstractThrowableAssert<?, ?> assertFault(Scenario scenario, Fault fault) {
        return assertThatThrownBy(() -> play(scenario, fault)).isInstanceOf(AssertionError.class);
    }

    private static void play(Scenario scenario, Fault fault) {
        try (FaultyDevice device = new FaultyDevice(fault);
                Trials trials = new Trials(device, 1)) {
            trials.play("case", scenario);
        }
    }

    private static Tensor element(Tensor tensor, int row, int column) {
        long address = tensor.rowAddress(row) + (long) column * tensor.dtype().bytes();
        return new Tensor("element", tensor.dtype(), address, 1, 1);
    }

    /** Changes one float; guards, being NaN, are changed in their bits. */
    private static void scale(ReferenceDevice device, Tensor element, float factor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(4);
            device.read(element, host);
            float value = host.get(ValueLayout.JAVA_FLOAT, 0);
            host.set(ValueLayout.JAVA_FLOAT, 0, Float.isNaN(value) ? 0 : value * factor);
            device.write(element, host);
        }
    }

    /** The reference with a fault after each operation. */
    private static final class FaultyDevice implements Device {
        private final ReferenceDevice device = new ReferenceDevice();
        private final Operations operations;
        private int calls;

        FaultyDevice(Fault fault) {
            operations = (Operations) Proxy.newProxyInstance(
                    Operations.class.getClassLoader(),
                    new Class<?>[] {Operations.class},
                    (proxy, method, arguments) -> {
                        Object result = method.invoke(device.operations(), arguments);
                        fault.commit(device, arguments, ++calls);
                        return result;
                    });
        }

        @Override
        public Operations operations() {
            return operations;
        }

        @Override
        public Tensor allocate(String name, DType dtype, int... shape) {
            return device.allocate(name, dtype, shape);
        }

        @Override
        public Tensor allocatePadded(String name, DType dtype, int... shape) {
            return device.allocatePadded(name, dtype, shape);
        }

        @Override
        public void write(Tensor to, MemorySegment from) {
            device.write(to, from);
        }

        @Override
        public void read(Tensor from, MemorySegment to) {
            device.read(from, to);
        }

        @Override
        public String description() {
            return "faulty";
        }

        @Override
        public long allocatedBytes() {
            return device.allocatedBytes();
        }

        @Override
        public void close() {
            device.close();
        }
    }
}
