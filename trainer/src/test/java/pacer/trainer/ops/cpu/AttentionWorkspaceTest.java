package pacer.trainer.ops.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Tensor;

class AttentionWorkspaceTest {

    @ParameterizedTest
    @CsvSource({
        "1, 3, 70, 32, F32, F32",
        "2, 3, 70, 32, BF16, F32",
        "2, 3, 70, 32, BF16, BF16",
        "3, 2, 64, 6, F32, F32", // more threads than heads, heads that fill no vector
    })
    void whatIsPlannedIsWhatAttentionTakes(int threads, int heads, int length, int width, DType output, DType gradients)
            throws Exception {
        try (CpuDevice device = CpuDevice.open(threads, Gemms.Kind.VECTOR, Path.of("target", "native-cache"))) {
            CpuOperations ops = (CpuOperations) device.operations();
            int c = heads * width;
            Tensor qkv = device.allocate("qkv", DType.F32, 1, length, 3 * c);
            Tensor q = qkv.columns("q", 0, c);
            Tensor k = qkv.columns("k", c, c);
            Tensor v = qkv.columns("v", 2 * c, c);
            Tensor out = device.allocate("out", output, 1, length, c);
            Tensor logSumExp = device.allocate("logSumExp", DType.F32, 1, heads, length);
            Tensor dOut = device.allocate("dOut", DType.F32, 1, length, c);
            Tensor d = device.allocate("d", gradients, 1, length, 3 * c);
            ops.attentionForward(out, logSumExp, q, k, v, null, heads, Dropout.NONE);
            ops.attentionBackward(
                    d.columns("dQ", 0, c),
                    d.columns("dK", c, c),
                    d.columns("dV", 2 * c, c),
                    dOut,
                    out,
                    logSumExp,
                    q,
                    k,
                    v,
                    null,
                    heads,
                    Dropout.NONE);
            long taken = 0;
            for (int member = 0; member < threads; member++) {
                taken += ops.scratch(member)
                        .bytes(
                                Scratch.SCORES,
                                Scratch.SCORE_GRADIENTS,
                                Scratch.STATISTICS,
                                Scratch.QUERIES,
                                Scratch.OUTPUTS,
                                Scratch.HEAD);
            }
            assertThat(CpuDevice.attentionWorkspace(threads, heads, length, width, output, gradients))
                    .isEqualTo(taken);
        }
    }
}
