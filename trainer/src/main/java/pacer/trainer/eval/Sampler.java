package pacer.trainer.eval;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.IntConsumer;
import pacer.trainer.model.Decoder;
import pacer.trainer.ops.Dropout;

/**
 * Continues a text, token by token, as nanoGPT's sample.py: temperature, then the top k, then a draw. The context is the last T
 * tokens. Draws are a function of seed, sample and place.
 */
public final class Sampler {
    private final Decoder decoder;
    private final MemorySegment row; // (V)

    /** Samples from {@code decoder}, which holds nothing of worth then or later. */
    public Sampler(Decoder decoder) {
        this.decoder = decoder;
        this.row = Arena.ofAuto().allocate(4L * decoder.vocabulary(), 64);
    }

    /**
     * How to draw.
     *
     * @param temperature divides the logits; 0 takes the likeliest token
     * @param topK draws only from the k likeliest; 0 from all
     * @param seed fixes the draws
     */
    public record Settings(double temperature, int topK, long seed) {}

    /**
     * Continues {@code prompt} by {@code count} tokens, handing each to {@code each} as it is drawn; throws
     * {@link NoNumbersException} where there is nothing to draw from.
     *
     * @param sample number of the sample; other samples of the same seed are other texts
     * @param vocabulary tokens that may be drawn: those that the tokenizer knows, at most the model's
     */
    public void continuing(int[] prompt, int count, Settings settings, int sample, int vocabulary, IntConsumer each) {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("a prompt needs at least one token");
        }
        int length = decoder.capacity();
        int[] context = Arrays.copyOfRange(prompt, Math.max(0, prompt.length - length), prompt.length);
        int used = context.length;
        context = Arrays.copyOf(context, length);
        long key = Dropout.key(settings.seed(), sample, 0);
        decoder.truncate(0);
        for (int i = 0; i < count; i++) {
            decoder.append(context, decoder.size(), used);
            int token = draw(logits(Math.min(vocabulary, decoder.vocabulary())), settings, Dropout.key(key, i, 1));
            each.accept(token);
            if (used < length) {
                context[used++] = token;
            } else {
                // every token moves to another position, and positions are learned: no key or value stays what it was
                System.arraycopy(context, 1, context, 0, length - 1);
                context[length - 1] = token;
                decoder.truncate(0);
            }
        }
    }

    private double[] logits(int vocabulary) {
        decoder.readLogits(row);
        double[] values = new double[vocabulary];
        for (int v = 0; v < vocabulary; v++) {
            values[v] = row.getAtIndex(ValueLayout.JAVA_FLOAT, v);
            if (!Double.isFinite(values[v])) {
                throw new NoNumbersException();
            }
        }
        return values;
    }

    private static int draw(double[] logits, Settings settings, long bits) {
        int likeliest = 0;
        for (int v = 1; v < logits.length; v++) {
            if (logits[v] > logits[likeliest]) {
                likeliest = v;
            }
        }
        if (settings.temperature() == 0) {
            return likeliest;
        }
        double max = logits[likeliest];
        boolean some = settings.topK() > 0 && settings.topK() < logits.length;
        double least = some ? largest(logits, settings.topK()) : Double.NEGATIVE_INFINITY;
        double sum = 0;
        for (int v = 0; v < logits.length; v++) {
            logits[v] = logits[v] < least ? 0 : Math.exp((logits[v] - max) / settings.temperature());
            sum += logits[v];
        }
        double rest = (bits >>> 11) * 0x1.0p-53 * sum;
        int last = 0;
        for (int v = 0; v < logits.length; v++) {
            if (logits[v] > 0) {
                last = v;
                rest -= logits[v];
                if (rest < 0) {
                    break;
                }
            }
        }
        return last;
    }

    /** The {@code k}-th largest: the least of a heap of the k largest so far (sorting them all would take as long as a small model). */
    private static double largest(double[] values, int k) {
        double[] heap = Arrays.copyOf(values, k);
        Arrays.sort(heap); // which makes a heap
        for (int v = k; v < values.length; v++) {
            if (values[v] > heap[0]) {
                sink(heap, values[v]);
            }
        }
        return heap[0];
    }

    /** Replaces the least of {@code heap}. */
    private static void sink(double[] heap, double value) {
        int at = 0;
        for (int child = 1; child < heap.length; child = 2 * at + 1) {
            if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= value) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = value;
    }
}
