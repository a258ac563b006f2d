package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;

/** Matrix products in Java's Vector API, for platforms without a native library: panels of B, blocked along k. */
final class VectorGemm implements Gemm {
    /** Columns of a panel. */
    private static final int WIDTH = 2 * LANES;
    /** Depth of a block: a panel of B (32 KiB at 512 bits) stays in the first-level cache. */
    private static final int DEPTH = 256;

    private final String reason;

    VectorGemm(String reason) {
        this.reason = reason;
    }

    @Override
    public void f32(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            long a,
            long lda,
            long b,
            long ldb,
            boolean add,
            long c,
            long ldc,
            Scratch scratch) {
        if (m == 1 && !transposeA && transposeB) {
            MatrixVectorKernels.multiply(b, 4 * ldb, n, k, a, add, c);
            return;
        }
        long aRow = transposeA ? 4 : 4 * lda;
        long aColumn = transposeA ? 4 * lda : 4;
        int padded = Math.ceilDiv(n, WIDTH) * WIDTH;
        long panels = scratch.reserve(Scratch.PANELS, 4L * padded * Math.min(k, DEPTH));
        long edge = scratch.reserve(Scratch.ROW, 4L * WIDTH * m);
        for (int k0 = 0; k0 < k; k0 += DEPTH) {
            int depth = Math.min(DEPTH, k - k0);
            pack(transposeB, n, k0, depth, b, ldb, panels, scratch);
            boolean addHere = add || k0 > 0;
            for (int j = 0; j < n; j += WIDTH) {
                long panel = panels + 4L * j * depth;
                long ak = a + k0 * aColumn;
                if (j + WIDTH <= n) {
                    TileKernels.multiply(
                            m, WIDTH, depth, ak, aRow, aColumn, panel, 4L * WIDTH, c + 4L * j, 4 * ldc, addHere);
                } else {
                    TileKernels.multiply(
                            m, WIDTH, depth, ak, aRow, aColumn, panel, 4L * WIDTH, edge, 4L * WIDTH, false);
                    mergeEdge(m, n - j, edge, c + 4L * j, 4 * ldc, addHere);
                }
            }
        }
    }

    private static void pack(
            boolean transposeB, int n, int k0, int depth, long b, long ldb, long panels, Scratch scratch) {
        if (transposeB) {
            TransposeKernels.panels(b + 4L * k0, 4 * ldb, n, depth, WIDTH, panels, scratch);
            return;
        }
        for (int j = 0; j < n; j += WIDTH) {
            int columns = Math.min(WIDTH, n - j);
            long panel = panels + 4L * j * depth;
            if (columns < WIDTH) {
                Vectors.zero(panel, 4L * WIDTH * depth);
            }
            for (int r = 0; r < depth; r++) {
                Vectors.copy(b + 4 * ((k0 + r) * ldb + j), panel + 4L * r * WIDTH, 4L * columns);
            }
        }
    }

    private static void mergeEdge(int m, int columns, long edge, long c, long cRow, boolean add) {
        for (int r = 0; r < m; r++) {
            for (int j = 0; j < columns; j++) {
                long to = c + r * cRow + 4L * j;
                float value = Vectors.getFloat(edge + 4L * ((long) r * WIDTH + j));
                Vectors.putFloat(to, add ? Vectors.getFloat(to) + value : value);
            }
        }
    }

    @Override
    public void bf16(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            long a,
            long lda,
            long b,
            long ldb,
            boolean add,
            long c,
            long ldc,
            Scratch scratch) {
        widened(transposeA, transposeB, m, n, k, a, lda, b, ldb, add, c, ldc, scratch);
    }

    @Override
    public String description() {
        return "Java Vector API (" + LANES * 32 + " bits), slower than a native library: " + reason;
    }
}
