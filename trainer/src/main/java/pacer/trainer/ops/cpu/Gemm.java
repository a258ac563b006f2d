package pacer.trainer.ops.cpu;

/**
 * Matrix products on one thread: C (+)= op(A)·op(B), all row-major, where op transposes when told to. Addresses are raw, leading
 * dimensions count elements. The bits of a result depend on shapes alone.
 */
sealed interface Gemm permits OneDnnGemm, OpenBlasGemm, VectorGemm {

    /** fp32 factors, fp32 sums. */
    void f32(
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
            Scratch scratch);

    /** bf16 factors, fp32 sums. */
    void bf16(
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
            Scratch scratch);

    /** Which library, and what is slower about it, for people. */
    String description();

    /**
     * bf16 factors widened to fp32 and multiplied there: exact products as hardware forms them, at fp32's speed. For
     * libraries and processors without bf16 arithmetic. A single row reads each factor of B once: nothing is widened for it.
     */
    default void widened(
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
        int aRows = transposeA ? k : m;
        int aColumns = transposeA ? m : k;
        int bRows = transposeB ? n : k;
        int bColumns = transposeB ? k : n;
        if (m == 1 && !transposeA && transposeB) {
            long row = scratch.reserve(Scratch.WIDE_A, 4L * k);
            ConversionKernels.fromBf16(a, row, k);
            MatrixVectorKernels.multiplyBf16(b, 2 * ldb, n, k, row, add, c);
            return;
        }
        long wideA = scratch.reserve(Scratch.WIDE_A, 4L * aRows * aColumns);
        long wideB = scratch.reserve(Scratch.WIDE_B, 4L * bRows * bColumns);
        for (int r = 0; r < aRows; r++) {
            ConversionKernels.fromBf16(a + 2L * r * lda, wideA + 4L * r * aColumns, aColumns);
        }
        for (int r = 0; r < bRows; r++) {
            ConversionKernels.fromBf16(b + 2L * r * ldb, wideB + 4L * r * bColumns, bColumns);
        }
        f32(transposeA, transposeB, m, n, k, wideA, aColumns, wideB, bColumns, add, c, ldc, scratch);
    }
}
