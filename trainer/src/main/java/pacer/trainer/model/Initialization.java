package pacer.trainer.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** First values of a model's parameters. */
public final class Initialization {
    private static final double DEVIATION = 0.02;

    private Initialization() {}

    /**
     * GPT-2's: matrices from N(0, 0.02²), those that write to the residual stream from N(0, (0.02/√(2·layers))²), gains 1, biases
     * 0. Each element is a function of seed, tensor and place alone.
     */
    public static void gpt2(ModelSpec model, Parameters parameters, long seed, Device device, Tensor weights) {
        int site = 0;
        for (Parameter p : parameters.all()) {
            double deviation =
                    p.name().endsWith("c_proj.weight") ? DEVIATION / Math.sqrt(2.0 * model.layers()) : DEVIATION;
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment values = arena.allocate(4 * p.size(), 64);
                if (p.shape().size() >= 2) {
                    normal(values, p.size(), Dropout.key(seed, -1, site), deviation);
                } else if (p.name().endsWith(".weight")) {
                    for (long i = 0; i < p.size(); i++) {
                        values.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1f);
                    }
                }
                device.write(parameters.in(weights, p.name()), values);
            }
            site++;
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
