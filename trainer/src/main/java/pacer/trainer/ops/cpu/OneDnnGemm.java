package pacer.trainer.ops.cpu;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Map;

/** oneDNN's row-major GEMM calls, {@code dnnl_sgemm} and {@code dnnl_gemm_bf16bf16f32}. */
final class OneDnnGemm implements Gemm {
    private static final FunctionDescriptor GEMM = FunctionDescriptor.of(
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_BYTE, // transa
            ValueLayout.JAVA_BYTE, // transb
            ValueLayout.JAVA_LONG, // M
            ValueLayout.JAVA_LONG, // N
            ValueLayout.JAVA_LONG, // K
            ValueLayout.JAVA_FLOAT, // alpha
            NativeLibrary.POINTER, // A
            ValueLayout.JAVA_LONG, // lda
            NativeLibrary.POINTER, // B
            ValueLayout.JAVA_LONG, // ldb
            ValueLayout.JAVA_FLOAT, // beta
            NativeLibrary.POINTER, // C
            ValueLayout.JAVA_LONG); // ldc

    /** As oneDNN numbers them (dnnl_types.h). */
    private static final Map<Integer, String> INSTRUCTION_SETS = Map.of(
            0x1, "SSE4.1",
            0x3, "AVX",
            0x7, "AVX2",
            0xf, "AVX2-VNNI",
            0x27, "AVX-512",
            0x67, "AVX-512 VNNI",
            0xe7, "AVX-512 BF16",
            0x1ef, "AVX-512 FP16",
            0xfef, "AMX",
            0x1fef, "AMX FP16");

    private final MethodHandle sgemm;
    private final MethodHandle bgemm;
    private final boolean nativeBf16;
    private final String version;

    OneDnnGemm(Path cache, String platform) throws IOException {
        // our own threads divide the work; OpenMP's beside them would fight for the cores
        NativeLibrary.setEnvironment("OMP_NUM_THREADS", "1");
        NativeLibrary library =
                NativeLibrary.load(cache, "org/bytedeco/dnnl/" + platform, "libgomp.so.1", "libdnnl.so.3");
        sgemm = library.function("dnnl_sgemm", GEMM);
        bgemm = library.function("dnnl_gemm_bf16bf16f32", GEMM);
        nativeBf16 = tryBf16();
        version = version(library);
    }

    /** Version and instruction set: with another of either, bits may differ. */
    private static String version(NativeLibrary library) throws IOException {
        MethodHandle version = library.function("dnnl_version", FunctionDescriptor.of(NativeLibrary.POINTER));
        MethodHandle effective =
                library.function("dnnl_get_effective_cpu_isa", FunctionDescriptor.of(ValueLayout.JAVA_INT));
        try {
            long numbers = (long) version.invokeExact(); // int major, minor, patch
            int isa = (int) effective.invokeExact();
            return "oneDNN %d.%d.%d (%s)"
                    .formatted(
                            Vectors.getInt(numbers),
                            Vectors.getInt(numbers + 4),
                            Vectors.getInt(numbers + 8),
                            INSTRUCTION_SETS.getOrDefault(isa, "isa 0x%x".formatted(isa)));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean tryBf16() {
        try (Arena arena = Arena.ofConfined()) {
            long zeros = arena.allocate(1024, 64).address();
            return call(bgemm, false, false, 4, 4, 4, zeros, 4, zeros, 4, false, zeros + 512, 4) == 0;
        }
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
        check(call(sgemm, transposeA, transposeB, m, n, k, a, lda, b, ldb, add, c, ldc), m, n, k);
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
        if (nativeBf16) {
            check(call(bgemm, transposeA, transposeB, m, n, k, a, lda, b, ldb, add, c, ldc), m, n, k);
        } else {
            widened(transposeA, transposeB, m, n, k, a, lda, b, ldb, add, c, ldc, scratch);
        }
    }

    private static int call(
            MethodHandle gemm,
            boolean transposeA,
            boolean transposeB,
            long m,
            long n,
            long k,
            long a,
            long lda,
            long b,
            long ldb,
            boolean add,
            long c,
            long ldc) {
        byte ta = (byte) (transposeA ? 'T' : 'N');
        byte tb = (byte) (transposeB ? 'T' : 'N');
        float beta = add ? 1f : 0f;
        try {
            return (int) gemm.invokeExact(ta, tb, m, n, k, 1f, a, lda, b, ldb, beta, c, ldc);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void check(int status, int m, int n, int k) {
        if (status != 0) {
            throw new IllegalStateException(
                    "oneDNN refused a product of " + m + " x " + k + " by " + k + " x " + n + ": status " + status);
        }
    }

    @Override
    public String description() {
        return version + (nativeBf16 ? "" : "; bf16 products run at fp32's speed, as this processor has no bf16");
    }
}
