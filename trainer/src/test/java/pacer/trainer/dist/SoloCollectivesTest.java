package pacer.trainer.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Tensor;

class SoloCollectivesTest {
    @Test
    void leavesEveryValueAsItIs() {
        try (Arena arena = Arena.ofConfined();
                Collectives solo = new SoloCollectives()) {
            float[] values = {1, -0.0f, Float.NaN};
            MemorySegment memory = arena.allocate(12, 64);
            memory.copyFrom(MemorySegment.ofArray(values));
            Tensor tensor = new Tensor("gradients", DType.F32, memory.address(), 3, 3);
            solo.allReduce(tensor);
            solo.reduceScatter(tensor);
            solo.allGather(tensor);
            solo.broadcast(tensor, 0);
            solo.barrier();
            assertThat(memory.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(values);
            assertThat(solo.allReduce(0.1)).isEqualTo(0.1);
            assertThat(solo.rank()).isZero();
            assertThat(solo.size()).isEqualTo(1);
            assertThat(solo.shardStart(100, 0)).isZero();
            assertThat(solo.shardStart(100, 1)).isEqualTo(100);
        }
    }

    @Test
    void refusesWhatAGroupWouldRefuse() {
        try (Arena arena = Arena.ofConfined();
                Collectives solo = new SoloCollectives()) {
            long address = arena.allocate(1024, 64).address();
            Tensor padded = new Tensor("logits", DType.F32, address, 16, 4, 3);
            Tensor half = new Tensor("weights", DType.BF16, address, 8, 8);
            assertThatThrownBy(() -> solo.allReduce(padded)).hasMessageContaining("logits (4, 3) F32 has padded rows");
            assertThatThrownBy(() -> solo.reduceScatter(half))
                    .hasMessageContaining("weights (8) BF16 cannot be summed");
            solo.allGather(half); // copies bytes of any type
            assertThatThrownBy(() -> solo.broadcast(half, 1)).hasMessageContaining("broadcast from rank 1");
        }
    }
}
