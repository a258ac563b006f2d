package pacer.trainer.optim;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;

/**
 * Matrices with the singular vectors of a given one and singular values near 1, by a quintic Newton-Schulz iteration (Jordan et al. 2024,
 * the Muon optimizer): X ← aX + (bA + cA²)X with A = XXᵀ, from X = G / (‖G‖ + 10⁻⁷). The coefficients have the slope at zero as large as
 * it can be; the values end between 0.7 and 1.2, which serves as well as 1. A tall matrix is multiplied from the right, which is the same.
 */
public final class NewtonSchulz {
    private static final float A = 3.4445f;
    private static final float B = -4.7750f;
    private static final float C = 2.0315f;
    private static final float EPSILON = 1e-7f;

    private final Device device;
    private final boolean wide;
    private final Tensor x; // (R, C) F32
    private final Tensor xProduct; // (R, C) in the dtype of products; x itself in fp32
    private final Tensor gram; // (n, n) F32, n the shorter side
    private final Tensor gramProduct; // (n, n) in the dtype of products
    private final Tensor square; // (n, n) F32
    private final Tensor polynomial; // (n, n) in the dtype of products
    private final Tensor turned; // (R, C) F32

    /**
     * Plans buffers.
     *
     * @param rows and {@code columns} of the matrices
     * @param products dtype of the factors of products, each of which is rounded to it
     */
    public NewtonSchulz(Device device, int rows, int columns, DType products) {
        this.device = device;
        this.wide = rows <= columns;
        int n = Math.min(rows, columns);
        x = device.allocate("orthogonal", DType.F32, rows, columns);
        xProduct = products == DType.F32 ? x : device.allocate("orthogonalProduct", products, rows, columns);
        gram = device.allocate("gram", DType.F32, n, n);
        gramProduct = products == DType.F32 ? gram : device.allocate("gramProduct", products, n, n);
        square = device.allocate("gramSquare", DType.F32, n, n);
        polynomial = device.allocate("polynomial", products, n, n);
        turned = device.allocate("turned", DType.F32, rows, columns);
    }

    /** Where a matrix may be written that nobody else needs: (R, C) F32. */
    Tensor input() {
        return turned;
    }

    /**
     * The orthogonal factor of {@code matrix}, nearly.
     *
     * @param matrix (R, C) F32, left as it is unless it is {@link #input}
     * @return (R, C) F32; valid until the next call
     */
    public Tensor of(Tensor matrix, int steps) {
        Operations ops = device.operations();
        ops.normalize(x, matrix, EPSILON);
        for (int step = 0; step < steps; step++) {
            toProduct(ops, xProduct, x);
            if (wide) {
                ops.linearForward(gram, xProduct, xProduct, null, false);
            } else {
                ops.linearBackwardWeight(gram, null, xProduct, xProduct, false);
            }
            toProduct(ops, gramProduct, gram);
            ops.linearForward(square, gramProduct, gramProduct, null, false); // it is its own transpose
            ops.combine(polynomial, B, gram, C, square);
            if (wide) {
                ops.linearBackwardInput(turned, polynomial, xProduct, false);
            } else {
                ops.linearForward(turned, xProduct, polynomial, null, false);
            }
            ops.combine(x, A, x, 1, turned);
        }
        return x;
    }

    private static void toProduct(Operations ops, Tensor product, Tensor from) {
        if (product != from) {
            ops.convert(product, from);
        }
    }
}
