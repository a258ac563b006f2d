package pacer.trainer.ops;

import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import pacer.trainer.ops.Stage.Tolerance;

/** What the parts of the conformance suite share: the device, sizes, tolerances, choices. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class Conformance {
    static final int[] ROWS = {1, 3, 7, 64, 65};
    static final int[] COLUMNS = {1, 5, 16, 20, 31, 32, 33, 48, 64, 128, 130};
    static final int[] VOCABULARIES = {1, 2, 65, 77, 80, 257};
    static final DType[] NUMBERS = {DType.F32, DType.BF16};

    /** Relative error of one rounding to float. */
    static final double EPS = Math.scalb(1.0, -24);

    Device device;
    Trials trials;

    /** The device to be tested; closed by the suite. */
    protected abstract Device open();

    /** Multiplies the tolerances; more than 1 only for arithmetic that is coarser than fp32's by nature. */
    protected double slack() {
        return 1;
    }

    @BeforeAll
    void start() {
        device = open();
        trials = new Trials(device, slack());
    }

    @AfterAll
    void stop() {
        trials.close();
        device.close();
    }

    /** A sum of {@code terms} products of standard normal numbers, in any order, in fp32. */
    static Tolerance sumOf(int terms) {
        return new Tolerance(4 * EPS, EPS * (8 + 4 * terms));
    }

    static Tolerance within(double relativeRoundings, double absoluteRoundings) {
        return new Tolerance(EPS * relativeRoundings, EPS * absoluteRoundings);
    }

    /** A choice that is fixed by the case's name, and so the same for device and reference. */
    static boolean flag(String name, int which) {
        return new Random(name.hashCode() * 31L + which).nextInt(1000) < 500;
    }
}
