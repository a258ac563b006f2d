package pacer.trainer.ops.cpu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** Chooses the library for matrix products. */
public final class Gemms {

    /** Ways to form products. */
    public enum Kind {
        /** The platform's native library where there is one, else the Vector API. */
        AUTO,
        ONEDNN,
        OPENBLAS,
        VECTOR
    }

    private Gemms() {}

    /**
     * The library for this platform. Never fails for {@link Kind#AUTO}: what falls back says why in its description.
     *
     * @param cache where native libraries are unpacked
     * @throws IOException when a library asked for by name cannot be had
     */
    static Gemm choose(Kind kind, Path cache) throws IOException {
        String platform = platform();
        return switch (kind) {
            case ONEDNN -> new OneDnnGemm(cache, platform);
            case OPENBLAS -> openBlas(cache, platform);
            case VECTOR -> new VectorGemm("asked for");
            case AUTO -> {
                try {
                    yield switch (platform) {
                        case "linux-x86_64" -> new OneDnnGemm(cache, platform);
                        case "linux-arm64", "macosx-arm64" -> openBlas(cache, platform);
                        default -> new VectorGemm("there is none for " + platform);
                    };
                } catch (IOException e) {
                    yield new VectorGemm(e.getMessage());
                }
            }
        };
    }

    private static Gemm openBlas(Path cache, String platform) throws IOException {
        return switch (platform) {
            case "linux-x86_64" ->
                new OpenBlasGemm(
                        cache, platform, "libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");
            case "linux-arm64" ->
                new OpenBlasGemm(cache, platform, "libgcc_s.so.1", "libgfortran.so.5", "libopenblas.so.0");
            case "macosx-arm64" ->
                new OpenBlasGemm(
                        cache,
                        platform,
                        "libgcc_s.1.1.dylib",
                        "libquadmath.0.dylib",
                        "libgfortran.5.dylib",
                        "libopenblas.0.dylib");
            default -> throw new IOException("no OpenBLAS for " + platform);
        };
    }

    /** As the jars name it: {@code linux-x86_64}, {@code macosx-arm64} … */
    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        String system = os.startsWith("mac") ? "macosx" : os.startsWith("linux") ? "linux" : os.replace(' ', '_');
        String machine =
                switch (arch) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64" -> "arm64";
                    default -> arch;
                };
        return system + "-" + machine;
    }
}
