package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.I;
import static pacer.trainer.ops.cpu.Vectors.constant;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import pacer.trainer.ops.Dropout;

/** Functions of vectors. Small, so that they are inlined where they are used: a vector that crosses a call is put into a box. */
final class VectorMath {
    private static final IntVector IOTA = IntVector.zero(I).addIndex(1);
    private static final float SQRT_HALF = 0.70710677f;

    private VectorMath() {}

    /**
     * e^x to about 1e-7 relative, 0 below -87.3, at most e^88.7; NaN stays NaN. Cephes' expf: reduction by ln 2 in two parts
     * and a polynomial of degree six (Moshier). Not the platform's EXP, whose bits differ between machines.
     */
    @SuppressWarnings("FloatingPointLiteralPrecision") // digits as published
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(-87.33f).min(88.72f);
        // adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits
        FloatVector t = clamped.fma(constant(1.44269504f), constant(12582912f));
        FloatVector n = t.sub(12582912f);
        FloatVector r = n.fma(constant(-0.693359375f), clamped);
        r = n.fma(constant(2.12194440e-4f), r);
        FloatVector p = constant(1.9875691500e-4f);
        p = p.fma(r, constant(1.3981999507e-3f));
        p = p.fma(r, constant(8.3334519073e-3f));
        p = p.fma(r, constant(4.1665795894e-2f));
        p = p.fma(r, constant(1.6666665459e-1f));
        p = p.fma(r, constant(5.0000001201e-1f));
        p = p.fma(r.mul(r), r.add(1f));
        IntVector exponent = t.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    }

    /** {@link #exp}, exactly 0 where x is below -87: masked attention scores must weigh nothing. */
    static FloatVector expOrZero(FloatVector x) {
        return exp(x).blend(0f, x.compare(VectorOperators.LT, -87f));
    }

    /**
     * ln x to about 1e-7 for x from 1 to 2^31; NaN stays NaN. Cephes' logf: the exponent apart, and a polynomial of degree eight over
     * [√½, √2) (Moshier).
     */
    @SuppressWarnings("FloatingPointLiteralPrecision") // digits as published
    static FloatVector logFromOne(FloatVector x) {
        // adding the bits of 1 - √½ brings mantissas of √2 and more to the next exponent
        IntVector shifted = x.reinterpretAsInts().add(0x3f800000 - 0x3f3504f3);
        FloatVector e = (FloatVector)
                shifted.lanewise(VectorOperators.ASHR, 23).sub(127).convert(VectorOperators.I2F, 0);
        FloatVector m = shifted.and(0x007fffff).add(0x3f3504f3).reinterpretAsFloats();
        FloatVector r = m.sub(1f);
        FloatVector p = constant(7.0376836292e-2f);
        p = p.fma(r, constant(-1.1514610310e-1f));
        p = p.fma(r, constant(1.1676998740e-1f));
        p = p.fma(r, constant(-1.2420140846e-1f));
        p = p.fma(r, constant(1.4249322787e-1f));
        p = p.fma(r, constant(-1.6668057665e-1f));
        p = p.fma(r, constant(2.0000714765e-1f));
        p = p.fma(r, constant(-2.4999993993e-1f));
        p = p.fma(r, constant(3.3333331174e-1f));
        FloatVector square = r.mul(r);
        FloatVector y = p.mul(r).mul(square);
        y = e.fma(constant(-2.12194440e-4f), y);
        y = square.fma(constant(-0.5f), y);
        return e.fma(constant(0.693359375f), r.add(y)).add(x.sub(x));
    }

    /** Φ(x) to 1e-7, given exp(-x²/2): Abramowitz and Stegun 7.1.26. */
    @SuppressWarnings("FloatingPointLiteralPrecision") // digits as published
    static FloatVector normalCdf(FloatVector x, FloatVector gaussian) {
        FloatVector t = constant(1f).div(x.abs().mul(0.3275911f * SQRT_HALF).add(1f));
        FloatVector p = t.mul(1.061405429f).add(-1.453152027f);
        p = p.mul(t).add(1.421413741f);
        p = p.mul(t).add(-0.284496736f);
        p = p.mul(t).add(0.254829592f).mul(t);
        FloatVector upperTail = p.mul(gaussian).mul(0.5f);
        return upperTail.blend(constant(1f).sub(upperTail), x.compare(VectorOperators.GE, 0f));
    }

    /** s + 2·x·s·(1 - s)·u'(x). */
    static FloatVector geluTanhDerivative(FloatVector x, FloatVector s) {
        FloatVector slope = x.mul(x)
                .mul(3 * ActivationKernels.TANH_CUBIC * ActivationKernels.TANH_SCALE)
                .add(ActivationKernels.TANH_SCALE);
        FloatVector spread = s.sub(s.mul(s));
        return x.add(x).mul(spread).fma(slope, s);
    }

    /** tanh x, to about 1e-7 absolute. */
    static FloatVector tanh(FloatVector x) {
        return constant(1f).sub(constant(2f).div(exp(x.add(x)).add(1f)));
    }

    /**
     * A vector of 0 for dropped elements and {@code scale} for the others; {@link Dropout#hash} on vectors.
     *
     * @param key the key and the upper half of the elements' index, mixed
     * @param element lower half of the first element's index
     */
    static FloatVector survivors(int key, int element, int threshold, float scale) {
        return survivors(IOTA.add(element).mul(0x9E3779B9).lanewise(VectorOperators.XOR, key), threshold, scale);
    }

    /** The same for elements {@code first + steps}, steps not negative. */
    static FloatVector survivors(int key, long first, IntVector steps, int threshold, float scale) {
        IntVector lower = steps.add((int) first);
        int upper = (int) (first >>> 32);
        IntVector mixed = IntVector.broadcast(I, key ^ upper * 0x85EBCA6B)
                .blend(key ^ (upper + 1) * 0x85EBCA6B, lower.compare(VectorOperators.ULT, (int) first));
        return survivors(lower.mul(0x9E3779B9).lanewise(VectorOperators.XOR, mixed), threshold, scale);
    }

    private static FloatVector survivors(IntVector mixed, int threshold, float scale) {
        IntVector x = mixed;
        x = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 16))
                .mul(0x85EBCA6B);
        x = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 13))
                .mul(0xC2B2AE35);
        x = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 16));
        VectorMask<Integer> keep = x.lanewise(VectorOperators.LSHR, 8).compare(VectorOperators.GE, threshold);
        return zeros().blend(scale, keep.cast(Vectors.F));
    }
}
