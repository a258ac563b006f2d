package pacer.trainer.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/** A small model with weights so large, biases too, that its next token hangs on all of its context. */
public final class RandomModel {
    /** Odd sizes: heads of 12, which fill no vector, and a context that is no multiple of anything. */
    public static final int LENGTH = 21;

    public static final int VOCABULARY = 77;

    private RandomModel() {}

    /** The network. */
    public static ModelSpec spec(boolean bias) {
        return ModelSpec.gpt2(
                3, 4, 48, LENGTH, VOCABULARY, bias, bias ? Activation.GELU_TANH : Activation.GELU_ERF, 1e-5, 0, bias);
    }

    /** A replica of one sequence, or of four for training. */
    public static Replica open(
            boolean bias,
            Engine.Kind kind,
            Precision precision,
            int threads,
            Gemms.Kind products,
            long seed,
            boolean training)
            throws IOException {
        Engine engine = new Engine(kind, threads, precision, products, Path.of("target", "native-cache"));
        Replica replica = engine.open(spec(bias), training ? 4 : 1, LENGTH, training);
        Random random = new Random(seed);
        Map<String, MemorySegment> values = new HashMap<>();
        try (Arena arena = Arena.ofConfined()) {
            for (Parameter p : replica.parameters().all()) {
                MemorySegment value = arena.allocate(4 * p.size(), 64);
                double mean = p.name().contains("ln_") && p.name().endsWith("weight") ? 1 : 0;
                double deviation = p.name().contains("ln_f") ? 0.02 : 0.3;
                for (long i = 0; i < p.size(); i++) {
                    value.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (mean + deviation * random.nextGaussian()));
                }
                values.put(p.name(), value);
            }
            replica.load(values);
        }
        return replica;
    }

    /** Tokens at random. */
    public static int[] tokens(int count) {
        return new Random(3).ints(count, 0, VOCABULARY).toArray();
    }

    /** Logits after the last of {@code tokens}, by a pass over a whole context. */
    public static float[] logits(Replica replica, int... tokens) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment inputs = arena.allocate(4L * LENGTH, 64);
            MemorySegment row = arena.allocate(4L * VOCABULARY, 64);
            MemorySegment.copy(tokens, 0, inputs, ValueLayout.JAVA_INT, 0, tokens.length);
            replica.single().logits(inputs, tokens.length - 1, row);
            return row.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** Sum of the losses of {@code continuation} behind {@code context}, by a pass over both. */
    public static double loss(Replica replica, int[] context, int[] continuation) {
        int length = replica.length();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment inputs = arena.allocate(4L * length, 64);
            MemorySegment targets = arena.allocate(4L * length, 64);
            for (int t = 0; t < length; t++) {
                int i = t - context.length;
                int token = i < 0 ? context[t] : i < continuation.length ? continuation[i] : 0;
                int next = i + 1 < 0 || i + 1 >= continuation.length ? -1 : continuation[i + 1];
                inputs.setAtIndex(ValueLayout.JAVA_INT, t, token);
                targets.setAtIndex(ValueLayout.JAVA_INT, t, next);
            }
            return replica.loss(inputs, targets);
        }
    }

    /** What the decoder says now. */
    public static float[] logits(Decoder decoder) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment row = arena.allocate(4L * VOCABULARY, 64);
            decoder.readLogits(row);
            return row.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** ‖a - b‖ / ‖b‖. */
    public static double difference(float[] a, float[] b) {
        double distance = 0;
        double norm = 0;
        for (int i = 0; i < b.length; i++) {
            distance += Math.pow((double) a[i] - b[i], 2);
            norm += Math.pow(b[i], 2);
        }
        return Math.sqrt(distance / norm);
    }
}
