package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;

class TensorSourceTest {

    @TempDir
    Path folder;

    @Test
    void copiesATensorOffItsDevicePieceByPiece() throws IOException {
        int rows = 1001;
        int columns = 2999; // three pieces, the last one short
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(4L * rows * columns, 64);
            for (int i = 0; i < rows * columns; i++) {
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
            }
            Tensor tensor = new Tensor("wte", DType.F32, memory.address(), columns, rows, columns);

            Path file = folder.resolve("x.safetensors");
            SafetensorsWriter.write(
                    file,
                    Map.of(),
                    List.of(TensorSource.of(hostMemory(), tensor).named("w")));

            try (Safetensors opened = Safetensors.open(file)) {
                assertThat(opened.tensor("w").shape()).containsExactly(1001L, 2999L);
                assertThat(opened.tensor("w").bytes().mismatch(memory)).isEqualTo(-1);
            }
            assertThatThrownBy(() -> TensorSource.of(hostMemory(), tensor.columns("some", 0, 8)))
                    .hasMessageContaining(
                            "only a contiguous tensor can be written; some (1001, 8) F32 has padded rows");
        }
    }

    /** A device whose addresses are host addresses and which can do nothing but be read. */
    private static Device hostMemory() {
        return (Device)
                Proxy.newProxyInstance(Device.class.getClassLoader(), new Class<?>[] {Device.class}, (p, method, a) -> {
                    assertThat(method.getName()).isEqualTo("read");
                    Tensor from = (Tensor) a[0];
                    MemorySegment to = (MemorySegment) a[1];
                    to.copyFrom(MemorySegment.ofAddress(from.address())
                            .reinterpret(from.size() * from.dtype().bytes()));
                    return null;
                });
    }
}
