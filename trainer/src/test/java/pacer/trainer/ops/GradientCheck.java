package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import pacer.trainer.ops.reference.ReferenceDevice;

/**
 * Finite differences through the reference. The loss is Σ out·dOut over an operation's output; what a backward pass says of
 * an input is held against (8(f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h, whose error is of order h⁴, so that h can be
 * large enough for outputs rounded to fp32. Inputs are multiples of 2⁻¹⁰, so x ± h is exact.
 */
final class GradientCheck implements AutoCloseable {
    private static final float H = 1f / 16;
    private static final double TOLERANCE = 2e-4;

    private final ReferenceDevice device = new ReferenceDevice();
    private final SplittableRandom random;
    private final List<Runnable> checks = new ArrayList<>();

    GradientCheck(long seed) {
        random = new SplittableRandom(seed);
    }

    Operations operations() {
        return device.operations();
    }

    /** Normal values on a grid that h keeps exact. */
    Tensor random(String name, int... shape) {
        return fill(name, () -> Math.rint(random.nextGaussian() * 1024) / 1024, shape);
    }

    /** Values of both signs and at least three steps from zero. */
    Tensor awayFromZero(String name, int... shape) {
        return fill(
                name,
                () -> Math.rint(random.nextDouble(3 * H, 3) * 1024) / (random.nextBoolean() ? 1024 : -1024),
                shape);
    }

    Tensor constant(String name, float value, int... shape) {
        return fill(name, () -> value, shape);
    }

    private Tensor fill(String name, DoubleSupplier next, int... shape) {
        Tensor t = device.allocate(name, DType.F32, shape);
        double[][] values = new double[t.rows()][t.columns()];
        for (double[] row : values) {
            Arrays.setAll(row, c -> next.getAsDouble());
        }
        device.store(t, values);
        return t;
    }

    Tensor integers(String name, int[] values, int... shape) {
        Tensor t = device.allocate(name, DType.I32, shape);
        try (Arena arena = Arena.ofConfined()) {
            device.write(t, arena.allocateFrom(ValueLayout.JAVA_INT, values));
        }
        return t;
    }

    /** Zeros. */
    Tensor empty(String name, int... shape) {
        return device.allocate(name, DType.F32, shape);
    }

    /**
     * Demands that running {@code backward} adds to (or, with {@code added} false, writes to) {@code gradient} the
     * gradient with respect to {@code input} of Σ out·dOut, where {@code forward} computes out.
     */
    void gradient(Tensor gradient, boolean added, Tensor input, Tensor out, Tensor dOut, Runnable forward) {
        double[][] before = device.load(gradient);
        checks.add(() -> {
            double[][] claimed = device.load(gradient);
            double[][] x = device.load(input);
            double largest = 1;
            for (int r = 0; r < x.length; r++) {
                for (int c = 0; c < x[r].length; c++) {
                    double slope = slope(input, x, r, c, out, dOut, forward);
                    double ours = claimed[r][c] - (added ? before[r][c] : 0);
                    largest = Math.max(largest, Math.abs(slope));
                    assertThat(Math.abs(ours - slope) / largest)
                            .as("%s row %d column %d: claimed %s, found %s", gradient, r, c, ours, slope)
                            .isLessThan(TOLERANCE);
                }
            }
        });
    }

    /** Runs the backward pass and then every check announced before. */
    void run(Runnable forward, Runnable backward) {
        forward.run();
        backward.run();
        checks.forEach(Runnable::run);
    }

    private double slope(Tensor input, double[][] x, int r, int c, Tensor out, Tensor dOut, Runnable forward) {
        double middle = x[r][c];
        double[] loss = new double[4];
        double[] steps = {-2 * H, -H, H, 2 * H};
        for (int i = 0; i < 4; i++) {
            x[r][c] = middle + steps[i];
            device.store(input, x);
            forward.run();
            double[][] y = device.load(out);
            double[][] dy = device.load(dOut);
            for (int row = 0; row < y.length; row++) {
                for (int column = 0; column < y[row].length; column++) {
                    loss[i] += y[row][column] * dy[row][column];
                }
            }
        }
        x[r][c] = middle;
        device.store(input, x);
        return (8 * (loss[2] - loss[1]) - (loss[3] - loss[0])) / (12 * H);
    }

    @Override
    public void close() {
        device.close();
    }

    /** Copies a contiguous tensor of floats. */
    float[] read(Tensor t) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(t.size() * 4);
            device.read(t, host);
            return host.toArray(ValueLayout.JAVA_FLOAT);
        }
    }
}
