package pacer.trainer.ops.cpu;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Tensor;

/** Counts that lie in memory are not checked with the shapes; memory behind a cache must be safe all the same. */
class CachedAttentionTest {

    @ParameterizedTest
    @ValueSource(ints = {3, Integer.MAX_VALUE, -1})
    void refusesToWriteOutsideOfTheCache(int before) throws Exception {
        try (CpuDevice device = CpuDevice.open(1, Gemms.Kind.VECTOR, Path.of("target", "native-cache"))) {
            Tensor x = device.allocate("x", DType.F32, 1, 3, 2);
            Tensor cache = device.allocate("cache", DType.F32, 1, 1, 5, 2);
            Tensor past = past(device, before);
            assertThatThrownBy(() -> device.operations().attentionCached(x, cache, cache, x, x, x, past, null, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("there must be 0 to 2");
        }
    }

    @Test
    void refusesPositionsThatHaveNoEmbedding() throws Exception {
        try (CpuDevice device = CpuDevice.open(1, Gemms.Kind.VECTOR, Path.of("target", "native-cache"))) {
            Tensor x = device.allocate("x", DType.F32, 1, 3, 2);
            Tensor tokens = device.allocate("tokens", DType.I32, 1, 3);
            Tensor table = device.allocate("table", DType.F32, 5, 2);
            Tensor past = past(device, 3);
            assertThatThrownBy(() -> device.operations().embeddingForward(x, tokens, table, table, past))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("there must be 0 to 2");
        }
    }

    private static Tensor past(CpuDevice device, int before) {
        Tensor past = device.allocate("past", DType.I32, 1);
        CpuDevice.host(past).set(ValueLayout.JAVA_INT, 0, before);
        return past;
    }
}
