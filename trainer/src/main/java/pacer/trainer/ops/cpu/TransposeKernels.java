package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.F;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Transposes matrices of floats, a square of vectors at a time, by exchanging halves: at each stage h, rows i and i+h swap the
 * columns whose index has bit h. Scalar code would be several times slower, because scalar access by raw address is.
 */
final class TransposeKernels {
    private static final VectorShuffle<Float> X1 = exchange(1);
    private static final VectorShuffle<Float> X2 = exchange(2);
    private static final VectorShuffle<Float> X4 = exchange(4);
    private static final VectorShuffle<Float> X8 = exchange(8);
    private static final VectorMask<Float> M1 = upper(1);
    private static final VectorMask<Float> M2 = upper(2);
    private static final VectorMask<Float> M4 = upper(4);
    private static final VectorMask<Float> M8 = upper(8);

    private TransposeKernels() {}

    private static VectorShuffle<Float> exchange(int h) {
        return VectorShuffle.fromOp(F, i -> (i ^ h) % LANES);
    }

    private static VectorMask<Float> upper(int h) {
        boolean[] bits = new boolean[LANES];
        for (int i = 0; i < LANES; i++) {
            bits[i] = (i & h) != 0;
        }
        return VectorMask.fromArray(F, bits, 0);
    }

    /**
     * Writes the transpose of a (rows x columns) matrix as panels: panel p holds source rows p·width … (p+1)·width, as
     * {@code columns} rows of {@code width} floats; source rows beyond the last are zeros. This is the form in which
     * {@link TileKernels} reads its right factor.
     *
     * @param sourceRow bytes between source rows
     * @param width a multiple of the vector length
     */
    static void panels(long source, long sourceRow, int rows, int columns, int width, long to, Scratch scratch) {
        long work = scratch.reserve(Scratch.TRANSPOSE, 4L * LANES * LANES);
        for (int r = 0; r < rows; r += width) {
            long panel = to + 4L * r * columns;
            int inPanel = Math.min(width, rows - r);
            if (inPanel < width) {
                Vectors.zero(panel, 4L * columns * width);
            }
            for (int c = 0; c < inPanel; c += LANES) {
                strip(
                        source + (r + c) * sourceRow,
                        sourceRow,
                        Math.min(LANES, inPanel - c),
                        columns,
                        panel + 4L * c,
                        width,
                        work);
            }
        }
    }

    /** Up to {@code LANES} source rows become columns of the panel. */
    private static void strip(long source, long sourceRow, int rows, int columns, long to, int width, long work) {
        int c = 0;
        if (rows == LANES) {
            for (; c + LANES <= columns; c += LANES) {
                square(source + 4L * c, sourceRow, to + 4L * c * width, 4L * width, work);
            }
        }
        for (; c < columns; c++) {
            for (int r = 0; r < rows; r++) {
                Vectors.putFloat(to + 4L * ((long) c * width + r), Vectors.getFloat(source + r * sourceRow + 4L * c));
            }
        }
    }

    private static void square(long from, long fromRow, long to, long toRow, long work) {
        long workRow = 4L * LANES;
        if (LANES == 16) {
            stage(8, X8, M8, from, fromRow, work, workRow);
            stage(4, X4, M4, work, workRow, work, workRow);
            stage(2, X2, M2, work, workRow, work, workRow);
        } else if (LANES == 8) {
            stage(4, X4, M4, from, fromRow, work, workRow);
            stage(2, X2, M2, work, workRow, work, workRow);
        } else if (LANES == 4) {
            stage(2, X2, M2, from, fromRow, work, workRow);
        } else {
            throw new AssertionError("no transpose for vectors of " + LANES + " floats");
        }
        stage(1, X1, M1, work, workRow, to, toRow);
    }

    private static void stage(
            int h,
            VectorShuffle<Float> exchange,
            VectorMask<Float> upper,
            long from,
            long fromRow,
            long to,
            long toRow) {
        for (int i = 0; i < LANES; i += 2 * h) {
            for (int j = i; j < i + h; j++) {
                FloatVector a = load(from + j * fromRow);
                FloatVector b = load(from + (j + h) * fromRow);
                store(to + j * toRow, a.blend(b.rearrange(exchange), upper));
                store(to + (j + h) * toRow, a.rearrange(exchange).blend(b, upper));
            }
        }
    }
}
