package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.ModelSpec.Initial;

/** First values of a model's parameters. */
public final class Initialization {
    private static final double DEVIATION = 0.02;

    private Initialization() {}

    /**
     * First values as {@code model.initial} says; gains are 1, biases 0, and what is mixed begins with equal parts of values and value
     * embeddings, the stream alone, and skips in full. Each element is a function of seed, tensor and place alone.
     */
    public static void of(ModelSpec model, Parameters parameters, long seed, Device device, Tensor weights) {
        int site = 0;
        for (Parameter p : parameters.all()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment values = arena.allocate(4 * p.size(), 64);
                long key = Dropout.key(seed, -1, site);
                if (p.role() == Parameter.Role.SCALAR) {
                    scalars(p, values);
                } else if (model.initial() == Initial.GPT2) {
                    normal(values, p.size(), key, gpt2Deviation(model, p));
                } else if (p.role() == Parameter.Role.EMBEDDING && !(model.tiedHead() && isTokenEmbedding(p))) {
                    normal(values, p.size(), key, 1);
                } else if (!(model.initial() == Initial.TORCH_ZERO && isZero(p))) {
                    uniform(values, p.size(), key, 1 / Math.sqrt(p.shape().getLast()));
                }
                device.write(parameters.in(weights, p.name()), values);
            }
            site++;
        }
    }

    private static void scalars(Parameter p, MemorySegment values) {
        float[] first = p.name().endsWith("attn.lambdas") || p.name().endsWith("attn.lamb")
                ? new float[] {0.5f, 0.5f}
                : p.name().endsWith("lambdas") ? new float[] {1, 0} : null;
        boolean ones = p.name().endsWith(".weight") || p.name().equals("skip_weights");
        for (int i = 0; i < p.size(); i++) {
            values.setAtIndex(ValueLayout.JAVA_FLOAT, i, first != null ? first[i] : ones ? 1 : 0);
        }
    }

    private static double gpt2Deviation(ModelSpec model, Parameter p) {
        return writesToStream(p) ? DEVIATION / Math.sqrt(2.0 * model.layers()) : DEVIATION;
    }

    private static boolean isTokenEmbedding(Parameter p) {
        return p.name().equals("embed.weight") || p.name().equals("transformer.wte.weight");
    }

    private static boolean isZero(Parameter p) {
        return p.role() == Parameter.Role.HEAD || writesToStream(p);
    }

    private static boolean writesToStream(Parameter p) {
        return p.name().endsWith("c_proj.weight");
    }

    private static void uniform(MemorySegment to, long n, long key, double bound) {
        for (long i = 0; i < n; i++) {
            to.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (bound * (2 * uniform(Dropout.key(key, i, 0)) - 1)));
        }
    }

    /** Normal deviates in pairs (Box, Muller 1958) from SplitMix64 by counter. */
    private static void normal(MemorySegment to, long n, long key, double deviation) {
        for (long i = 0; i < n; i += 2) {
            double u = uniform(Dropout.key(key, i, 0));
            double angle = 2 * Math.PI * uniform(Dropout.key(key, i, 1));
            double radius = deviation * Math.sqrt(-2 * Math.log(u));
            to.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (radius * Math.cos(angle)));
            if (i + 1 < n) {
                to.setAtIndex(ValueLayout.JAVA_FLOAT, i + 1, (float) (radius * Math.sin(angle)));
            }
        }
    }

    /** In (0, 1]. */
    private static double uniform(long bits) {
        return ((bits >>> 11) + 1) * 0x1.0p-53;
    }
}
