package pacer.trainer.ops.cpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.DeviceConformanceTest;

/** The CPU device against the specification, with each product library that this platform has, alone and with a crew. */
class CpuConformanceTest {

    private static Device open(int threads, Gemms.Kind products) {
        try {
            return CpuDevice.open(threads, products, Path.of("target", "native-cache"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Nested
    class PlatformLibrary extends DeviceConformanceTest {
        @Override
        protected Device open() {
            return CpuConformanceTest.open(1, Gemms.Kind.AUTO);
        }
    }

    @Nested
    class PlatformLibraryWithThreeThreads extends DeviceConformanceTest {
        @Override
        protected Device open() {
            return CpuConformanceTest.open(3, Gemms.Kind.AUTO);
        }
    }

    @Nested
    class VectorApi extends DeviceConformanceTest {
        @Override
        protected Device open() {
            return CpuConformanceTest.open(2, Gemms.Kind.VECTOR);
        }
    }
}
