package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.ALL;
import static pacer.trainer.ops.cpu.Vectors.BYTES;
import static pacer.trainer.ops.cpu.Vectors.F;
import static pacer.trainer.ops.cpu.Vectors.FLOAT;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.ORDER;

import java.lang.foreign.Arena;
import jdk.incubator.vector.FloatVector;

/**
 * Small matrix products by the Vector API: C (+)= A·B with A read element by element at any two strides and B in rows of
 * whole vectors. Used for attention, and by {@link VectorGemm} where no native library fits.
 *
 * <p>The kernels call the Vector API itself, not our short names for it: its methods are always inlined, ours no longer once a method
 * has grown to 18,000 nodes, and a vector that crosses a call is put into a box. The kernels are written out because C2 keeps only local variables in registers; 8x2 is the largest that stays in
 * registers at every tier (12x2 spilled while C1 ran it, for half a minute). AVX2 has 16 registers, hence 4x2 there.
 */
final class TileKernels {
    private static final int TALL = LANES == 8 ? 4 : 8;
    private static final long ZEROS = Arena.global().allocate(2L * BYTES, 64).address();

    private TileKernels() {}

    /**
     * C[m, n] (+)= Σ_k A[m, k]·B[k, n]. Strides are in bytes.
     *
     * @param n columns, a multiple of the vector length
     */
    static void multiply(
            int m, int n, int k, long a, long aRow, long aColumn, long b, long bRow, long c, long cRow, boolean add) {
        // sums begin with what is there, or with a row of zeros over and over: one kernel for both
        long fromRow = add ? cRow : 0;
        int j = 0;
        for (; j + 2 * LANES <= n; j += 2 * LANES) {
            long bj = b + 4L * j;
            long cj = c + 4L * j;
            int i = 0;
            if (TALL == 8) {
                for (; i + 8 <= m; i += 8) {
                    long to = cj + i * cRow;
                    kernel8x2(a + i * aRow, aRow, aColumn, bj, bRow, to, cRow, k, add ? to : ZEROS, fromRow);
                }
            }
            for (; i + 4 <= m; i += 4) {
                long to = cj + i * cRow;
                kernel4x2(a + i * aRow, aRow, aColumn, bj, bRow, to, cRow, k, add ? to : ZEROS, fromRow);
            }
            for (; i < m; i++) {
                long to = cj + i * cRow;
                kernel1x2(a + i * aRow, aColumn, bj, bRow, to, k, add ? to : ZEROS);
            }
        }
        if (j < n) {
            long bj = b + 4L * j;
            long cj = c + 4L * j;
            int i = 0;
            for (; i + 4 <= m; i += 4) {
                long to = cj + i * cRow;
                kernel4x1(a + i * aRow, aRow, aColumn, bj, bRow, to, cRow, k, add ? to : ZEROS, fromRow);
            }
            for (; i < m; i++) {
                long to = cj + i * cRow;
                kernel1x1(a + i * aRow, aColumn, bj, bRow, to, k, add ? to : ZEROS);
            }
        }
    }

    private static void kernel8x2(
            long a, long aRow, long aColumn, long b, long bRow, long c, long cRow, int k, long from, long fromRow) {
        FloatVector c00 = FloatVector.fromMemorySegment(F, ALL, from, ORDER),
                c01 = FloatVector.fromMemorySegment(F, ALL, from + BYTES, ORDER);
        FloatVector c10 = FloatVector.fromMemorySegment(F, ALL, from + fromRow, ORDER),
                c11 = FloatVector.fromMemorySegment(F, ALL, from + fromRow + BYTES, ORDER);
        FloatVector c20 = FloatVector.fromMemorySegment(F, ALL, from + 2 * fromRow, ORDER),
                c21 = FloatVector.fromMemorySegment(F, ALL, from + 2 * fromRow + BYTES, ORDER);
        FloatVector c30 = FloatVector.fromMemorySegment(F, ALL, from + 3 * fromRow, ORDER),
                c31 = FloatVector.fromMemorySegment(F, ALL, from + 3 * fromRow + BYTES, ORDER);
        FloatVector c40 = FloatVector.fromMemorySegment(F, ALL, from + 4 * fromRow, ORDER),
                c41 = FloatVector.fromMemorySegment(F, ALL, from + 4 * fromRow + BYTES, ORDER);
        FloatVector c50 = FloatVector.fromMemorySegment(F, ALL, from + 5 * fromRow, ORDER),
                c51 = FloatVector.fromMemorySegment(F, ALL, from + 5 * fromRow + BYTES, ORDER);
        FloatVector c60 = FloatVector.fromMemorySegment(F, ALL, from + 6 * fromRow, ORDER),
                c61 = FloatVector.fromMemorySegment(F, ALL, from + 6 * fromRow + BYTES, ORDER);
        FloatVector c70 = FloatVector.fromMemorySegment(F, ALL, from + 7 * fromRow, ORDER),
                c71 = FloatVector.fromMemorySegment(F, ALL, from + 7 * fromRow + BYTES, ORDER);
        for (int i = 0; i < k; i++) {
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, b + BYTES, ORDER);
            FloatVector x = FloatVector.broadcast(F, ALL.get(FLOAT, a));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + aRow));
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 2 * aRow));
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 3 * aRow));
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 4 * aRow));
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 5 * aRow));
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 6 * aRow));
            c60 = x.fma(b0, c60);
            c61 = x.fma(b1, c61);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 7 * aRow));
            c70 = x.fma(b0, c70);
            c71 = x.fma(b1, c71);
            a += aColumn;
            b += bRow;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + BYTES, ORDER);
        c10.intoMemorySegment(ALL, c + cRow, ORDER);
        c11.intoMemorySegment(ALL, c + cRow + BYTES, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        c21.intoMemorySegment(ALL, c + 2 * cRow + BYTES, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        c31.intoMemorySegment(ALL, c + 3 * cRow + BYTES, ORDER);
        c40.intoMemorySegment(ALL, c + 4 * cRow, ORDER);
        c41.intoMemorySegment(ALL, c + 4 * cRow + BYTES, ORDER);
        c50.intoMemorySegment(ALL, c + 5 * cRow, ORDER);
        c51.intoMemorySegment(ALL, c + 5 * cRow + BYTES, ORDER);
        c60.intoMemorySegment(ALL, c + 6 * cRow, ORDER);
        c61.intoMemorySegment(ALL, c + 6 * cRow + BYTES, ORDER);
        c70.intoMemorySegment(ALL, c + 7 * cRow, ORDER);
        c71.intoMemorySegment(ALL, c + 7 * cRow + BYTES, ORDER);
    }

    private static void kernel4x2(
            long a, long aRow, long aColumn, long b, long bRow, long c, long cRow, int k, long from, long fromRow) {
        FloatVector c00 = FloatVector.fromMemorySegment(F, ALL, from, ORDER),
                c01 = FloatVector.fromMemorySegment(F, ALL, from + BYTES, ORDER);
        FloatVector c10 = FloatVector.fromMemorySegment(F, ALL, from + fromRow, ORDER),
                c11 = FloatVector.fromMemorySegment(F, ALL, from + fromRow + BYTES, ORDER);
        FloatVector c20 = FloatVector.fromMemorySegment(F, ALL, from + 2 * fromRow, ORDER),
                c21 = FloatVector.fromMemorySegment(F, ALL, from + 2 * fromRow + BYTES, ORDER);
        FloatVector c30 = FloatVector.fromMemorySegment(F, ALL, from + 3 * fromRow, ORDER),
                c31 = FloatVector.fromMemorySegment(F, ALL, from + 3 * fromRow + BYTES, ORDER);
        for (int i = 0; i < k; i++) {
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, b + BYTES, ORDER);
            FloatVector x = FloatVector.broadcast(F, ALL.get(FLOAT, a));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + aRow));
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 2 * aRow));
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 3 * aRow));
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            a += aColumn;
            b += bRow;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + BYTES, ORDER);
        c10.intoMemorySegment(ALL, c + cRow, ORDER);
        c11.intoMemorySegment(ALL, c + cRow + BYTES, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        c21.intoMemorySegment(ALL, c + 2 * cRow + BYTES, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        c31.intoMemorySegment(ALL, c + 3 * cRow + BYTES, ORDER);
    }

    private static void kernel4x1(
            long a, long aRow, long aColumn, long b, long bRow, long c, long cRow, int k, long from, long fromRow) {
        FloatVector c00 = FloatVector.fromMemorySegment(F, ALL, from, ORDER);
        FloatVector c10 = FloatVector.fromMemorySegment(F, ALL, from + fromRow, ORDER);
        FloatVector c20 = FloatVector.fromMemorySegment(F, ALL, from + 2 * fromRow, ORDER);
        FloatVector c30 = FloatVector.fromMemorySegment(F, ALL, from + 3 * fromRow, ORDER);
        for (int i = 0; i < k; i++) {
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, b, ORDER);
            FloatVector x = FloatVector.broadcast(F, ALL.get(FLOAT, a));
            c00 = x.fma(b0, c00);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + aRow));
            c10 = x.fma(b0, c10);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 2 * aRow));
            c20 = x.fma(b0, c20);
            x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 3 * aRow));
            c30 = x.fma(b0, c30);
            a += aColumn;
            b += bRow;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c10.intoMemorySegment(ALL, c + cRow, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRow, ORDER);
    }

    private static void kernel1x2(long a, long aColumn, long b, long bRow, long c, int k, long from) {
        FloatVector c00 = FloatVector.fromMemorySegment(F, ALL, from, ORDER),
                c01 = FloatVector.fromMemorySegment(F, ALL, from + BYTES, ORDER);
        for (int i = 0; i < k; i++) {
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, b + BYTES, ORDER);
            FloatVector x = FloatVector.broadcast(F, ALL.get(FLOAT, a));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            a += aColumn;
            b += bRow;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + BYTES, ORDER);
    }

    private static void kernel1x1(long a, long aColumn, long b, long bRow, long c, int k, long from) {
        FloatVector c00 = FloatVector.fromMemorySegment(F, ALL, from, ORDER);
        for (int i = 0; i < k; i++) {
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, b, ORDER);
            FloatVector x = FloatVector.broadcast(F, ALL.get(FLOAT, a));
            c00 = x.fma(b0, c00);
            a += aColumn;
            b += bRow;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
    }
}
