package pacer.trainer.ops.reference;

import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;

/** What the parts of the vocabulary share. Each part is an interface of default methods: {@link ReferenceOperations} is all of them. */
interface ReferenceWork extends Operations {
    ReferenceDevice device();

    /** What an operation adds to: the tensor's values, or zeros where they are to be overwritten. */
    default double[][] target(Tensor tensor, boolean accumulate) {
        return accumulate ? device().load(tensor) : new double[tensor.rows()][tensor.columns()];
    }

    /** A one-dimensional or (rows) tensor. */
    default double[] vector(Tensor tensor) {
        return device().load(tensor, 0, tensor.size());
    }

    /** Integers that must lie in [from, to). */
    default int[] numbers(Tensor tensor, int from, int to, String what) {
        int[] numbers = device().loadIntegers(tensor);
        for (int i = 0; i < numbers.length; i++) {
            if (numbers[i] < from || numbers[i] >= to) {
                throw new IllegalArgumentException(what + " " + i + " of " + tensor + " is " + numbers[i]
                        + "; it must be " + from + " to " + (to - 1));
            }
        }
        return numbers;
    }

    static double dot(double[] a, double[] b, int from, int count) {
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    /** y += a·x. */
    static void addScaled(double[] y, double a, double[] x) {
        for (int i = 0; i < y.length; i++) {
            y[i] += a * x[i];
        }
    }

    /** log Σ exp of elements [from, to), without overflow. */
    static double logSumExp(double[] values, int from, int to) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            max = Math.max(max, values[i]);
        }
        double sum = 0;
        for (int i = from; i < to; i++) {
            sum += Math.exp(values[i] - max);
        }
        return max + Math.log(sum);
    }

    /** How many positions came before in each of {@code sequences}; with {@code length} more they must fit. */
    default int[] past(Tensor past, int sequences, int length, int room, String op) {
        if (past == null) {
            return new int[sequences];
        }
        int[] before = device().loadIntegers(past);
        for (int b = 0; b < sequences; b++) {
            if (before[b] < 0 || before[b] > room - length) {
                throw new IllegalArgumentException(op + ": past " + past + " holds " + before[b] + " at sequence " + b
                        + "; with " + length + " new positions it must be 0 to " + (room - length));
            }
        }
        return before;
    }

    /** What dropout multiplies element {@code i} by. */
    static double factor(Dropout dropout, long i) {
        if (!dropout.isActive()) {
            return 1;
        }
        return dropout.keeps(i) ? dropout.scale() : 0;
    }
}
