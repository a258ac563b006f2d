package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.List;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

/**
 * AdamW over a model's parameters: keeps their moments and knows which of them decay. The arithmetic is
 * {@link Operations#adamW}; who updates what is the caller's choice, because {@link #update} takes a range of the
 * parameters' elements laid end to end, so lanes and ranks can share the work evenly whatever the tensors' sizes.
 */
public final class AdamW {
    /**
     * A parameter with its state, all of the same shape.
     *
     * @param weights (…) F32, contiguous
     * @param gradient (…)
     * @param firstMoment (…) running mean of the gradient; named as in PyTorch's optimizer state, {@code NAME.exp_avg}
     * @param secondMoment (…) running mean of its square, {@code NAME.exp_avg_sq}
     * @param weightDecay 0 where the parameter does not decay
     * @param start index of its first element among all parameters'
     */
    public record Parameter(
            Tensor weights, Tensor gradient, Tensor firstMoment, Tensor secondMoment, float weightDecay, long start) {

        private long end() {
            return start + weights.size();
        }
    }

    private final Operations.AdamW settings;
    private final List<Parameter> parameters;
    private final long elements;

    /**
     * Allocates the moments, zeroed.
     *
     * @param gradients one for each of {@code weights}, in their order; what {@link #update} reads
     */
    public AdamW(OptimizerSpec spec, Device device, List<Tensor> weights, List<Tensor> gradients) {
        if (weights.size() != gradients.size()) {
            throw new IllegalArgumentException(
                    "adamW: " + weights.size() + " weights but " + gradients.size() + " gradients");
        }
        settings = new Operations.AdamW((float) spec.beta1(), (float) spec.beta2(), (float) spec.epsilon());
        List<Parameter> list = new ArrayList<>();
        long start = 0;
        for (int i = 0; i < weights.size(); i++) {
            Tensor w = weights.get(i);
            Tensor m = device.allocate(w.name() + ".exp_avg", DType.F32, w.shape());
            Tensor v = device.allocate(w.name() + ".exp_avg_sq", DType.F32, w.shape());
            float decay = decays(w) ? (float) spec.weightDecay() : 0;
            list.add(new Parameter(w, gradients.get(i), m, v, decay, start));
            start += w.size();
        }
        parameters = List.copyOf(list);
        elements = start;
    }

    /** Whether a parameter decays: matrices and embeddings do, biases and gains of norms do not. */
    public static boolean decays(Tensor weights) {
        return weights.rank() >= 2;
    }

    /** The parameters in the order given, with their state. */
    public List<Parameter> parameters() {
        return parameters;
    }

    /** Number of elements of all parameters. */
    public long elements() {
        return elements;
    }

    /**
     * Updates elements [from, to) of all parameters laid end to end. Disjoint ranges may be updated at the same time, and
     * the bits do not depend on how elements are divided into ranges.
     *
     * @param gradientScale multiplies the gradients first (clipping)
     * @param step counts from 1
     */
    public void update(Operations operations, long from, long to, double learningRate, float gradientScale, long step) {
        if (from < 0 || from > to || to > elements) {
            throw new IllegalArgumentException(
                    "adamW: elements " + from + " to " + to + " of parameters that have " + elements);
        }
        for (Parameter p : parameters) {
            long first = Math.max(from, p.start()) - p.start();
            long last = Math.min(to, p.end()) - p.start();
            if (first < last) {
                operations.adamW(
                        p.weights(),
                        p.gradient(),
                        p.firstMoment(),
                        p.secondMoment(),
                        first,
                        last,
                        settings,
                        (float) learningRate,
                        p.weightDecay(),
                        gradientScale,
                        step);
            }
        }
    }
}
