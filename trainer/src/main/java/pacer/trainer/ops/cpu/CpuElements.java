package pacer.trainer.ops.cpu;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** What is done to each element by itself. */
interface CpuElements extends CpuWork {
    /** What an elementwise operation does to {@code n} elements; {@code first} is the index of the first of them. */
    @FunctionalInterface
    interface Elements {
        void run(int member, long out, long a, long b, long first, long n);
    }

    /** Divides an elementwise operation into blocks that stay in the cache: stretches of flat tensors, rows of strided ones. */
    private void elementwise(Tensor out, Tensor a, Tensor b, Elements body) {
        if (out.isContiguous() && a.isContiguous() && b.isContiguous()) {
            crew().forEachRange(out.size(), SMALL, (member, from, to) -> {
                for (long i = from; i < to; i += SMALL) {
                    body.run(member, element(out, i), element(a, i), element(b, i), i, Math.min(SMALL, to - i));
                }
            });
        } else {
            crew().forEachRange(out.rows(), 1, (member, from, to) -> {
                for (long row = from; row < to; row++) {
                    long first = row * out.columns();
                    body.run(member, out.rowAddress(row), a.rowAddress(row), b.rowAddress(row), first, out.columns());
                }
            });
        }
    }

    /** Address of element {@code i} of a contiguous tensor. */
    private static long element(Tensor t, long i) {
        return t.address() + i * t.dtype().bytes();
    }

    @Override
    default void activationForward(Tensor out, Tensor in, Activation activation) {
        Shapes.activationForward(out, in);
        boolean half = out.dtype() == DType.BF16;
        elementwise(out, in, in, (member, y, x, unused, first, n) -> {
            long result = half ? scratch(member).reserve(Scratch.ROW, 4 * n) : y;
            switch (activation) {
                case GELU_ERF -> ActivationKernels.geluErf(x, result, n);
                case GELU_TANH -> ActivationKernels.geluTanh(x, result, n);
                case RELU_SQUARED -> ActivationKernels.reluSquared(x, result, n);
            }
            if (half) {
                ConversionKernels.toBf16(result, y, n);
            }
        });
    }

    @Override
    default void activationBackward(Tensor dIn, Tensor dOut, Tensor saved, Activation activation) {
        Shapes.activationBackward(dIn, dOut, saved);
        boolean half = dIn.dtype() == DType.BF16;
        elementwise(dIn, dOut, saved, (member, dx, dy, derivative, first, n) -> {
            long result = half ? scratch(member).reserve(Scratch.ROW, 4 * n) : dx;
            ElementKernels.multiply(dy, derivative, result, n);
            if (half) {
                ConversionKernels.toBf16(result, dx, n);
            }
        });
    }

    @Override
    default void dropout(Tensor out, Tensor in, Dropout dropout) {
        Shapes.dropout(out, in);
        elementwise(
                out,
                in,
                in,
                (member, y, x, unused, first, n) ->
                        ElementKernels.dropout(x, y, n, dropout, dropout.firstElement() + first));
    }

    @Override
    default void add(Tensor out, Tensor a, Tensor b) {
        Shapes.add(out, a, b);
        elementwise(out, a, b, (member, z, x, y, first, n) -> ElementKernels.add(x, y, z, n));
    }

    @Override
    default void convert(Tensor out, Tensor in) {
        Shapes.convert(out, in);
        elementwise(out, in, in, (member, y, x, unused, first, n) -> {
            if (in.dtype() == out.dtype()) {
                Vectors.copy(x, y, n * in.dtype().bytes());
            } else if (out.dtype() == DType.BF16) {
                ConversionKernels.toBf16(x, y, n);
            } else {
                ConversionKernels.fromBf16(x, y, n);
            }
        });
    }

    @Override
    default void zero(Tensor tensor) {
        elementwise(
                tensor,
                tensor,
                tensor,
                (member, at, same, again, first, n) ->
                        Vectors.zero(at, n * tensor.dtype().bytes()));
    }
}
