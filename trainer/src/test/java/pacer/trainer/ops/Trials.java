package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.fail;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import pacer.trainer.ops.Stage.Declared;
import pacer.trainer.ops.Stage.Scalar;
import pacer.trainer.ops.Stage.Scenario;
import pacer.trainer.ops.Stage.Tolerance;
import pacer.trainer.ops.reference.ReferenceDevice;

/**
 * Plays scenarios on a device three times, the last time on another thread, and once on the reference. Demanded: results
 * near the reference's, every other byte as it was, and the same bits each time.
 */
final class Trials implements AutoCloseable {
    private static final int BLOCK_WORDS = 4 << 20;
    private static final String SEED = "pacer.conformance.seed";

    private final Device device;
    private final Device reference = new ReferenceDevice();
    private final Tensor deviceBlock;
    private final Tensor referenceBlock;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment host = arena.allocate(BLOCK_WORDS * 4L, 64);
    private final double slack;
    private final ExecutorService otherThread = Executors.newSingleThreadExecutor();
    private final long seed = Long.getLong(SEED, 1);

    /** @param slack multiplies tolerances, for devices whose arithmetic is coarser by nature */
    Trials(Device device, double slack) {
        this.device = device;
        this.slack = slack;
        deviceBlock = device.allocate("stage", DType.I32, BLOCK_WORDS);
        referenceBlock = reference.allocate("stage", DType.I32, BLOCK_WORDS);
    }

    /** Plays one scenario; {@code name} tells operation and sizes, and fixes the seed. */
    void play(String name, Scenario scenario) {
        long caseSeed = seed * 1_000_003 + name.hashCode();
        String title = name + " [-D" + SEED + "=" + seed + "]: ";
        Map<String, float[]> drawn = new HashMap<>();

        Stage oracle = new Stage(reference, referenceBlock, host, drawn, true, caseSeed);
        scenario.play(oracle);
        byte[] expected = oracle.bytes();

        Stage stage = new Stage(device, deviceBlock, host, drawn, false, caseSeed);
        scenario.play(stage);
        byte[] actual = stage.bytes();

        untouched(title, stage, actual);
        for (int d = 0; d < stage.declared().size(); d++) {
            if (stage.declared().get(d).tolerance() != null) {
                near(title, stage.declared().get(d), actual, oracle.declared().get(d), expected);
            }
        }
        for (int s = 0; s < stage.scalars().size(); s++) {
            near(title, stage.scalars().get(s), oracle.scalars().get(s));
        }

        Stage again = new Stage(device, deviceBlock, host, drawn, false, caseSeed);
        scenario.play(again);
        sameBits(title, "when called again", stage, actual, again);

        Stage elsewhere = new Stage(device, deviceBlock, host, drawn, false, caseSeed);
        onOtherThread(() -> scenario.play(elsewhere));
        sameBits(title, "when called from another thread", stage, actual, elsewhere);
    }

    private static void untouched(String title, Stage stage, byte[] actual) {
        int at = Arrays.mismatch(actual, stage.bytesExpected(actual));
        if (at >= 0) {
            fail(title + stage.describe(at) + " was written and must not be");
        }
    }

    private static void sameBits(String title, String when, Stage first, byte[] expected, Stage second) {
        int at = Arrays.mismatch(expected, second.bytes());
        if (at >= 0) {
            fail(title + first.describe(at) + " differs " + when);
        }
        List<Double> scalars = first.scalars().stream().map(Scalar::value).toList();
        if (!scalars.equals(second.scalars().stream().map(Scalar::value).toList())) {
            fail(title + "a returned number differs " + when);
        }
    }

    private void near(String title, Declared ours, byte[] actual, Declared reference, byte[] expected) {
        for (int i = 0; i < ours.tensor().size(); i++) {
            double e = Stage.value(reference, expected, i);
            double a = Stage.value(ours, actual, i);
            double allowed = allowed(ours.tolerance(), e, ours.tensor().dtype());
            if (!within(a, e, allowed)) {
                fail(title + ours.tensor() + " with row stride "
                        + ours.tensor().rowStride() + ", row "
                        + i / ours.tensor().columns() + ", column "
                        + i % ours.tensor().columns() + ": " + a + ", and the reference says " + e + ": "
                        + Math.abs(a - e) + " apart, allowed " + allowed);
            }
        }
    }

    private void near(String title, Scalar ours, Scalar reference) {
        double allowed = allowed(ours.tolerance(), reference.value(), DType.F32);
        if (!within(ours.value(), reference.value(), allowed)) {
            fail(title + ours.name() + ": " + ours.value() + ", and the reference says " + reference.value()
                    + ", allowed difference " + allowed);
        }
    }

    /** A value rounded to BF16 lies half a step from the exact one at most; truncation would be found out. */
    private double allowed(Tolerance tolerance, double expected, DType dtype) {
        double rounding = dtype == DType.BF16 ? Math.scalb(1.0, Math.getExponent(expected) - 8) : 0;
        return slack * (tolerance.absolute() + tolerance.relative() * Math.abs(expected)) + rounding;
    }

    private static boolean within(double actual, double expected, double allowed) {
        if (Double.isFinite(expected)) {
            return Math.abs(actual - expected) <= allowed; // false for NaN
        }
        return Double.compare(actual, expected) == 0;
    }

    private void onOtherThread(Runnable body) {
        try {
            otherThread.submit(body).get();
        } catch (ExecutionException e) {
            throw new AssertionError("on another thread: " + e.getCause(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        otherThread.shutdown();
        reference.close();
        arena.close();
    }
}
