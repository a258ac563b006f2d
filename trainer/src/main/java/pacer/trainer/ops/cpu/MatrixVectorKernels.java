package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.ALL;
import static pacer.trainer.ops.cpu.Vectors.BYTES;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.fromBf16;
import static pacer.trainer.ops.cpu.Vectors.getFloat;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.putFloat;
import static pacer.trainer.ops.cpu.Vectors.whole;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * A matrix by a vector: out[j] (+)= Σ_i matrix[j, i]·x[i]. Each element of the matrix is used once, so memory is what it takes: rows
 * are read where they are, four at a time, since a product library (or {@link VectorGemm}) that packs its factor first would move
 * three times as much.
 */
final class MatrixVectorKernels {

    private MatrixVectorKernels() {}

    /** {@code row}: bytes between the matrix's rows. */
    static void multiply(long matrix, long row, int rows, int columns, long x, boolean add, long out) {
        int j = 0;
        for (; j + 4 <= rows; j += 4) {
            four(matrix + j * row, row, columns, x, add, out + 4L * j);
        }
        for (; j < rows; j++) {
            put(out + 4L * j, one(matrix + j * row, columns, x), add);
        }
    }

    private static void four(long a, long row, int columns, long x, boolean add, long out) {
        FloatVector s0 = zeros();
        FloatVector s1 = zeros();
        FloatVector s2 = zeros();
        FloatVector s3 = zeros();
        long whole = 4 * whole(columns);
        for (long i = 0; i < whole; i += BYTES) {
            FloatVector v = load(x + i);
            s0 = v.fma(load(a + i), s0);
            s1 = v.fma(load(a + row + i), s1);
            s2 = v.fma(load(a + 2 * row + i), s2);
            s3 = v.fma(load(a + 3 * row + i), s3);
        }
        put(out, Vectors.sum(s0), add);
        put(out + 4, Vectors.sum(s1), add);
        put(out + 8, Vectors.sum(s2), add);
        put(out + 12, Vectors.sum(s3), add);
        if (whole < 4L * columns) {
            addTails(4, a + whole, row, x + whole, first(columns - whole / 4), out);
        }
    }

    private static float one(long a, int columns, long x) {
        FloatVector sum = zeros();
        long whole = 4 * whole(columns);
        for (long i = 0; i < whole; i += BYTES) {
            sum = load(x + i).fma(load(a + i), sum);
        }
        float total = Vectors.sum(sum);
        return whole < 4L * columns ? total + tail(a + whole, x + whole, first(columns - whole / 4)) : total;
    }

    private static void addTails(int rows, long a, long row, long x, VectorMask<Float> tail, long out) {
        FloatVector v = load(x, tail);
        for (int j = 0; j < rows; j++) {
            put(out + 4L * j, Vectors.sum(v.mul(load(a + j * row, tail))), true);
        }
    }

    private static float tail(long a, long x, VectorMask<Float> tail) {
        return Vectors.sum(load(a, tail).mul(load(x, tail)));
    }

    /** As {@link #multiply}, the matrix in bf16, {@code x} in fp32. */
    static void multiplyBf16(long matrix, long row, int rows, int columns, long x, boolean add, long out) {
        int j = 0;
        for (; j + 4 <= rows; j += 4) {
            fourBf16(matrix + j * row, row, columns, x, add, out + 4L * j);
        }
        for (; j < rows; j++) {
            put(out + 4L * j, oneBf16(matrix + j * row, columns, x), add);
        }
    }

    private static void fourBf16(long a, long row, int columns, long x, boolean add, long out) {
        FloatVector s0 = zeros();
        FloatVector s1 = zeros();
        FloatVector s2 = zeros();
        FloatVector s3 = zeros();
        long whole = whole(columns);
        for (long i = 0; i < whole; i += LANES) {
            FloatVector v = load(x + 4 * i);
            s0 = v.fma(fromBf16(a + 2 * i), s0);
            s1 = v.fma(fromBf16(a + row + 2 * i), s1);
            s2 = v.fma(fromBf16(a + 2 * row + 2 * i), s2);
            s3 = v.fma(fromBf16(a + 3 * row + 2 * i), s3);
        }
        int rest = (int) (columns - whole);
        put(out, Vectors.sum(s0) + restBf16(a + 2 * whole, x + 4 * whole, rest), add);
        put(out + 4, Vectors.sum(s1) + restBf16(a + row + 2 * whole, x + 4 * whole, rest), add);
        put(out + 8, Vectors.sum(s2) + restBf16(a + 2 * row + 2 * whole, x + 4 * whole, rest), add);
        put(out + 12, Vectors.sum(s3) + restBf16(a + 3 * row + 2 * whole, x + 4 * whole, rest), add);
    }

    private static float oneBf16(long a, int columns, long x) {
        FloatVector sum = zeros();
        long whole = whole(columns);
        for (long i = 0; i < whole; i += LANES) {
            sum = load(x + 4 * i).fma(fromBf16(a + 2 * i), sum);
        }
        return Vectors.sum(sum) + restBf16(a + 2 * whole, x + 4 * whole, (int) (columns - whole));
    }

    /** Fewer elements than a vector has. */
    private static float restBf16(long a, long x, int n) {
        float sum = 0;
        for (int i = 0; i < n; i++) {
            float factor = Float.intBitsToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, a + 2L * i) << 16);
            sum += factor * getFloat(x + 4L * i);
        }
        return sum;
    }

    private static void put(long at, float value, boolean add) {
        putFloat(at, add ? getFloat(at) + value : value);
    }
}
