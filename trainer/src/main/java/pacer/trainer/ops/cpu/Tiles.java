package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.BYTES;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.constant;
import static pacer.trainer.ops.cpu.Vectors.getFloat;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;

/**
 * Small matrix products by the Vector API: C (+)= A·B with A read element by element at any two strides and B in rows of
 * whole vectors. Used for attention, and by {@link VectorGemm} where no native library fits.
 *
 * <p>The kernels are written out because C2 keeps only local variables in registers; 8x2 is the largest that stays in
 * registers at every tier (12x2 spilled while C1 ran it, for half a minute). AVX2 has 16 registers, hence 4x2 there.
 */
final class Tiles {
    private static final int TALL = LANES == 8 ? 4 : 8;

    private Tiles() {}

    /**
     * C[m, n] (+)= Σ_k A[m, k]·B[k, n]. Strides are in bytes.
     *
     * @param n columns, a multiple of the vector length
     */
    static void multiply(
            int m, int n, int k, long a, long aRow, long aColumn, long b, long bRow, long c, long cRow, boolean add) {
        int j = 0;
        for (; j + 2 * LANES <= n; j += 2 * LANES) {
            long bj = b + 4L * j;
            long cj = c + 4L * j;
            int i = 0;
            if (TALL == 8) {
                for (; i + 8 <= m; i += 8) {
                    kernel8x2(a + i * aRow, aRow, aColumn, bj, bRow, cj + i * cRow, cRow, k, add);
                }
            }
            for (; i + 4 <= m; i += 4) {
                kernel4x2(a + i * aRow, aRow, aColumn, bj, bRow, cj + i * cRow, cRow, k, add);
            }
            for (; i < m; i++) {
                kernel1x2(a + i * aRow, aColumn, bj, bRow, cj + i * cRow, k, add);
            }
        }
        if (j < n) {
            long bj = b + 4L * j;
            long cj = c + 4L * j;
            int i = 0;
            for (; i + 4 <= m; i += 4) {
                kernel4x1(a + i * aRow, aRow, aColumn, bj, bRow, cj + i * cRow, cRow, k, add);
            }
            for (; i < m; i++) {
                kernel1x1(a + i * aRow, aColumn, bj, bRow, cj + i * cRow, k, add);
            }
        }
    }

    private static FloatVector at(long address) {
        return constant(getFloat(address));
    }

    private static void put(long address, FloatVector v, boolean add) {
        store(address, add ? v.add(load(address)) : v);
    }

    private static void kernel8x2(
            long a, long aRow, long aColumn, long b, long bRow, long c, long cRow, int k, boolean add) {
        FloatVector c00 = zeros(), c01 = zeros(), c10 = zeros(), c11 = zeros();
        FloatVector c20 = zeros(), c21 = zeros(), c30 = zeros(), c31 = zeros();
        FloatVector c40 = zeros(), c41 = zeros(), c50 = zeros(), c51 = zeros();
        FloatVector c60 = zeros(), c61 = zeros(), c70 = zeros(), c71 = zeros();
        for (int i = 0; i < k; i++) {
            FloatVector b0 = load(b);
            FloatVector b1 = load(b + BYTES);
            FloatVector x = at(a);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = at(a + aRow);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = at(a + 2 * aRow);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = at(a + 3 * aRow);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            x = at(a + 4 * aRow);
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            x = at(a + 5 * aRow);
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            x = at(a + 6 * aRow);
            c60 = x.fma(b0, c60);
            c61 = x.fma(b1, c61);
            x = at(a + 7 * aRow);
            c70 = x.fma(b0, c70);
            c71 = x.fma(b1, c71);
            a += aColumn;
            b += bRow;
        }
        put(c, c00, add);
        put(c + BYTES, c01, add);
        put(c + cRow, c10, add);
        put(c + cRow + BYTES, c11, add);
        put(c + 2 * cRow, c20, add);
        put(c + 2 * cRow + BYTES, c21, add);
        put(c + 3 * cRow, c30, add);
        put(c + 3 * cRow + BYTES, c31, add);
        put(c + 4 * cRow, c40, add);
        put(c + 4 * cRow + BYTES, c41, add);
        put(c + 5 * cRow, c50, add);
        put(c + 5 * cRow + BYTES, c51, add);
        put(c + 6 * cRow, c60, add);
        put(c + 6 * cRow + BYTES, c61, add);
        put(c + 7 * cRow, c70, add);
        put(c + 7 * cRow + BYTES, c71, add);
    }

    private static void kernel4x2(
            long a, long aRow, long aColumn, long b, long bRow, long c, long cRow, int k, boolean add) {
        FloatVector c00 = zeros(), c01 = zeros(), c10 = zeros(), c11 = zeros();
        FloatVector c20 = zeros(), c21 = zeros(), c30 = zeros(), c31 = zeros();
        for (int i = 0; i < k; i++) {
            FloatVector b0 = load(b);
            FloatVector b1 = load(b + BYTES);
            FloatVector x = at(a);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = at(a + aRow);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = at(a + 2 * aRow);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = at(a + 3 * aRow);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            a += aColumn;
            b += bRow;
        }
        put(c, c00, add);
        put(c + BYTES, c01, add);
        put(c + cRow, c10, add);
        put(c + cRow + BYTES, c11, add);
        put(c + 2 * cRow, c20, add);
        put(c + 2 * cRow + BYTES, c21, add);
        put(c + 3 * cRow, c30, add);
        put(c + 3 * cRow + BYTES, c31, add);
    }

    private static void kernel4x1(
            long a, long aRow, long aColumn, long b, long bRow, long c, long cRow, int k, boolean add) {
        FloatVector c0 = zeros(), c1 = zeros(), c2 = zeros(), c3 = zeros();
        for (int i = 0; i < k; i++) {
            FloatVector b0 = load(b);
            c0 = at(a).fma(b0, c0);
            c1 = at(a + aRow).fma(b0, c1);
            c2 = at(a + 2 * aRow).fma(b0, c2);
            c3 = at(a + 3 * aRow).fma(b0, c3);
            a += aColumn;
            b += bRow;
        }
        put(c, c0, add);
        put(c + cRow, c1, add);
        put(c + 2 * cRow, c2, add);
        put(c + 3 * cRow, c3, add);
    }

    private static void kernel1x2(long a, long aColumn, long b, long bRow, long c, int k, boolean add) {
        FloatVector c0 = zeros(), c1 = zeros();
        for (int i = 0; i < k; i++) {
            FloatVector x = at(a);
            c0 = x.fma(load(b), c0);
            c1 = x.fma(load(b + BYTES), c1);
            a += aColumn;
            b += bRow;
        }
        put(c, c0, add);
        put(c + BYTES, c1, add);
    }

    private static void kernel1x1(long a, long aColumn, long b, long bRow, long c, int k, boolean add) {
        FloatVector c0 = zeros();
        for (int i = 0; i < k; i++) {
            c0 = at(a).fma(load(b), c0);
            a += aColumn;
            b += bRow;
        }
        put(c, c0, add);
    }
}
