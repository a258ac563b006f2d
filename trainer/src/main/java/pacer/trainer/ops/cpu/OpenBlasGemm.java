package pacer.trainer.ops.cpu;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** OpenBLAS's {@code cblas_sgemm}, the library of choice on ARM. */
final class OpenBlasGemm implements Gemm {
    private static final int ROW_MAJOR = 101;
    private static final int AS_IS = 111;
    private static final int TRANSPOSED = 112;

    private final MethodHandle sgemm;

    OpenBlasGemm(Path cache, String platform, String... files) throws IOException {
        NativeLibrary.setEnvironment("OPENBLAS_NUM_THREADS", "1");
        sgemm = NativeLibrary.load(cache, "org/bytedeco/openblas/" + platform, files)
                .function(
                        "cblas_sgemm",
                        FunctionDescriptor.ofVoid(
                                ValueLayout.JAVA_INT, // order
                                ValueLayout.JAVA_INT, // transA
                                ValueLayout.JAVA_INT, // transB
                                ValueLayout.JAVA_INT, // M
                                ValueLayout.JAVA_INT, // N
                                ValueLayout.JAVA_INT, // K
                                ValueLayout.JAVA_FLOAT, // alpha
                                NativeLibrary.POINTER, // A
                                ValueLayout.JAVA_INT, // lda
                                NativeLibrary.POINTER, // B
                                ValueLayout.JAVA_INT, // ldb
                                ValueLayout.JAVA_FLOAT, // beta
                                NativeLibrary.POINTER, // C
                                ValueLayout.JAVA_INT)); // ldc
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
        try {
            sgemm.invokeExact(
                    ROW_MAJOR,
                    transposeA ? TRANSPOSED : AS_IS,
                    transposeB ? TRANSPOSED : AS_IS,
                    m,
                    n,
                    k,
                    1f,
                    a,
                    (int) lda,
                    b,
                    (int) ldb,
                    add ? 1f : 0f,
                    c,
                    (int) ldc);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
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
        return "OpenBLAS 0.3.31; bf16 products run at fp32's speed";
    }
}
