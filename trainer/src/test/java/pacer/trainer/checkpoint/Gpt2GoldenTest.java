package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.ModelSpec;

/** A folder that transformers wrote, read here and run by plain loops, gives the logits that transformers got from it. */
class Gpt2GoldenTest {
    private ModelSpec model;

    @Test
    void theWeightsOfATransformersFolderGiveItsLogits() throws IOException {
        Path golden = goldenFolder();
        Assumptions.assumeTrue(
                golden != null,
                "no golden/gpt2_hf: give its parent folder as -Dpacer.shared=DIR, or as shared/ beside a parent");
        try (Gpt2Folder folder = Gpt2Folder.open(golden);
                Safetensors trace = Safetensors.open(golden.resolve("golden.safetensors"))) {
            model = folder.model();
            assertThat(model).isEqualTo(ModelSpec.gpt2(3, 4, 64, 32, 257, true, Activation.GELU_TANH, 1e-5, 0, true));
            int[] tokens = trace.tensor("inputs").ints(); // (2, 32)
            float[] expected = trace.tensor("logits").floats(); // (2, 32, 257)
            for (int sequence = 0; sequence < 2; sequence++) {
                double[][] logits = logits(folder, tokens, sequence * 32);
                for (int t = 0; t < 32; t++) {
                    for (int v = 0; v < 257; v++) {
                        assertThat(logits[t][v]).isCloseTo(expected[(sequence * 32 + t) * 257 + v], within(1e-4));
                    }
                }
            }
        }
    }

    private double[][] logits(Gpt2Folder folder, int[] tokens, int first) throws IOException {
        int width = model.width();
        float[] wte = Gpt2FolderTest.floats(folder, "transformer.wte.weight");
        float[] wpe = Gpt2FolderTest.floats(folder, "transformer.wpe.weight");
        double[][] x = new double[model.sequenceLength()][width]; // (T, C)
        for (int t = 0; t < x.length; t++) {
            for (int c = 0; c < width; c++) {
                x[t][c] = wte[tokens[first + t] * width + c] + wpe[t * width + c];
            }
        }
        for (int layer = 0; layer < model.layers(); layer++) {
            String block = "transformer.h." + layer + ".";
            double[][] qkv = linear(folder, norm(folder, x, block + "ln_1"), block + "attn.c_attn"); // (T, 3C)
            add(x, linear(folder, attention(qkv), block + "attn.c_proj"));
            double[][] hidden = linear(folder, norm(folder, x, block + "ln_2"), block + "mlp.c_fc"); // (T, 4C)
            for (double[] row : hidden) {
                for (int i = 0; i < row.length; i++) {
                    double u = Math.sqrt(2 / Math.PI) * (row[i] + 0.044715 * row[i] * row[i] * row[i]);
                    row[i] = 0.5 * row[i] * (1 + Math.tanh(u));
                }
            }
            add(x, linear(folder, hidden, block + "mlp.c_proj"));
        }
        return product(norm(folder, x, "transformer.ln_f"), wte, null);
    }

    private double[][] attention(double[][] qkv) {
        int width = model.width();
        int headWidth = model.headWidth();
        double[][] out = new double[qkv.length][width];
        for (int head = 0; head < model.heads(); head++) {
            for (int t = 0; t < qkv.length; t++) {
                double[] weights = new double[t + 1];
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    double score = 0;
                    for (int d = head * headWidth; d < (head + 1) * headWidth; d++) {
                        score += qkv[t][d] * qkv[s][width + d];
                    }
                    weights[s] = Math.exp(score / Math.sqrt(headWidth));
                    sum += weights[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int d = head * headWidth; d < (head + 1) * headWidth; d++) {
                        out[t][d] += weights[s] / sum * qkv[s][2 * width + d];
                    }
                }
            }
        }
        return out;
    }

    private double[][] norm(Gpt2Folder folder, double[][] x, String name) throws IOException {
        float[] weight = Gpt2FolderTest.floats(folder, name + ".weight");
        float[] bias = Gpt2FolderTest.floats(folder, name + ".bias");
        double[][] out = new double[x.length][weight.length];
        for (int t = 0; t < x.length; t++) {
            double mean = java.util.Arrays.stream(x[t]).average().orElseThrow();
            double variance = java.util.Arrays.stream(x[t])
                    .map(v -> (v - mean) * (v - mean))
                    .average()
                    .orElseThrow();
            for (int c = 0; c < weight.length; c++) {
                out[t][c] = (x[t][c] - mean) / Math.sqrt(variance + model.normEpsilon()) * weight[c] + bias[c];
            }
        }
        return out;
    }

    private static double[][] linear(Gpt2Folder folder, double[][] in, String name) throws IOException {
        return product(
                in, Gpt2FolderTest.floats(folder, name + ".weight"), Gpt2FolderTest.floats(folder, name + ".bias"));
    }

    /** in (T, K) · weight (N, K)ᵀ + bias (N). */
    private static double[][] product(double[][] in, float[] weight, float[] bias) {
        int inputs = in[0].length;
        double[][] out = new double[in.length][weight.length / inputs];
        for (int t = 0; t < in.length; t++) {
            for (int n = 0; n < out[t].length; n++) {
                double sum = bias == null ? 0 : bias[n];
                for (int k = 0; k < inputs; k++) {
                    sum += in[t][k] * weight[n * inputs + k];
                }
                out[t][n] = sum;
            }
        }
        return out;
    }

    private static void add(double[][] to, double[][] from) {
        for (int t = 0; t < to.length; t++) {
            for (int c = 0; c < to[t].length; c++) {
                to[t][c] += from[t][c];
            }
        }
    }

    private static Path goldenFolder() {
        String given = System.getProperty("pacer.shared");
        if (given != null) {
            return Path.of(given, "golden", "gpt2_hf");
        }
        for (Path above = Path.of("").toAbsolutePath(); above != null; above = above.getParent()) {
            Path found = above.resolve("shared/golden/gpt2_hf");
            if (Files.isDirectory(found)) {
                return found;
            }
        }
        return null;
    }
}
