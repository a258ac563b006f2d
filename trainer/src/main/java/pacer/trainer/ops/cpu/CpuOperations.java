package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.getInt;
import static pacer.trainer.ops.cpu.Vectors.putFloat;

import java.util.Arrays;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** The vocabulary on the CPU: work is divided over the crew by rows, heads or ranges, never in a way that depends on timing. */
final class CpuOperations implements Operations, AutoCloseable {
    /** Floats a member takes at least: less is not worth waking it. */
    private static final int SMALL = 4096;
    /** Elements whose squares are summed in fp32 before fp64 takes over. */
    private static final int SQUARES = 4096;

    private final Gemm gemm;
    private final Crew crew;
    private final Scratch[] scratch;
    private final AttentionHead[] heads;
    private final double[] partial;

    CpuOperations(Gemm gemm, Crew crew) {
        this.gemm = gemm;
        this.crew = crew;
        this.scratch = new Scratch[crew.size()];
        this.heads = new AttentionHead[crew.size()];
        this.partial = new double[crew.size()];
        for (int m = 0; m < crew.size(); m++) {
            scratch[m] = new Scratch();
            heads[m] = new AttentionHead(scratch[m]);
        }
    }

    @Override
    public void close() {
        for (Scratch s : scratch) {
            s.close();
        }
    }

    // ------------------------------------------------------------------ embedding

    @Override
    public void embeddingForward(
            Tensor out, Tensor tokens, Tensor tokenEmbedding, Tensor positionEmbedding, Tensor past) {
        Shapes.embeddingForward(out, tokens, tokenEmbedding, positionEmbedding, past);
        int width = out.columns();
        int length = tokens.columns();
        if (past != null && positionEmbedding != null) {
            requireRoom(past, length, positionEmbedding.rows());
        }
        crew.forEachRange(tokens.size(), 1, (member, from, to) -> {
            for (long i = from; i < to; i++) {
                long token = tokenEmbedding.rowAddress(token(tokens, i, tokenEmbedding.dim(0)));
                if (positionEmbedding == null) {
                    Vectors.copy(token, out.rowAddress(i), 4L * width);
                } else {
                    long position = i % length + (past == null ? 0 : past(past, i / length));
                    ElementKernels.add(token, positionEmbedding.rowAddress(position), out.rowAddress(i), width);
                }
            }
        });
    }

    private static int token(Tensor tokens, long i, int vocabulary) {
        int token = getInt(tokens.address() + 4 * i);
        if (token < 0 || token >= vocabulary) {
            throw new IllegalArgumentException(
                    "token " + token + " at place " + i + " is outside of the vocabulary of " + vocabulary);
        }
        return token;
    }

    /** Positions before those at hand of sequence {@code b}. */
    private static int past(Tensor past, long b) {
        return getInt(past.address() + 4 * b);
    }

    /** Memory beyond a table's last row belongs to others. */
    private static void requireRoom(Tensor past, int length, int room) {
        for (long b = 0; b < past.size(); b++) {
            int before = past(past, b);
            if (before < 0 || before > room - length) {
                throw new IllegalArgumentException("sequence " + b + " has " + before + " positions; with " + length
                        + " new ones there must be 0 to " + (room - length));
            }
        }
    }

    @Override
    public void embeddingBackward(Tensor dTokenEmbedding, Tensor dPositionEmbedding, Tensor dOut, Tensor tokens) {
        Shapes.embeddingBackward(dTokenEmbedding, dPositionEmbedding, dOut, tokens);
        int length = tokens.columns();
        // members take columns: two rows may be of the same token
        crew.forEachRange(dOut.columns(), 16, (member, from, to) -> {
            long offset = 4 * from;
            long n = to - from;
            for (long i = 0; i < tokens.size(); i++) {
                long gradient = dOut.rowAddress(i) + offset;
                long token = dTokenEmbedding.rowAddress(token(tokens, i, dTokenEmbedding.dim(0))) + offset;
                ElementKernels.add(token, gradient, token, n);
                if (dPositionEmbedding != null) {
                    long position = dPositionEmbedding.rowAddress(i % length) + offset;
                    ElementKernels.add(position, gradient, position, n);
                }
            }
        });
    }

    // ------------------------------------------------------------------ normalisation

    @Override
    public void layerNormForward(
            Tensor out, Tensor mean, Tensor rstd, Tensor in, Tensor weight, Tensor bias, float epsilon) {
        Shapes.layerNormForward(out, mean, rstd, in, weight, bias);
        int n = in.columns();
        long b = bias == null ? 0 : bias.address();
        boolean half = out.dtype() == DType.BF16;
        crew.forEachRange(in.rows(), 1, (member, from, to) -> {
            long work = half ? scratch[member].reserve(Scratch.ROW, 4L * n) : 0;
            for (long i = from; i < to; i++) {
                long x = in.rowAddress(i);
                float mu = NormKernels.mean(x, n);
                float r = NormKernels.reciprocalDeviation(x, n, mu, epsilon);
                putFloat(mean.address() + 4 * i, mu);
                putFloat(rstd.address() + 4 * i, r);
                long to32 = half ? work : out.rowAddress(i);
                NormKernels.apply(x, weight.address(), b, to32, n, mu, r);
                if (half) {
                    ConversionKernels.toBf16(work, out.rowAddress(i), n);
                }
            }
        });
    }

    @Override
    public void layerNormBackward(
            Tensor dIn,
            Tensor dWeight,
            Tensor dBias,
            Tensor dOut,
            Tensor in,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            boolean accumulate) {
        Shapes.layerNormBackward(dIn, dWeight, dBias, dOut, in, weight, mean, rstd);
        int n = in.columns();
        boolean alone = crew.size() == 1;
        crew.forEachRange(in.rows(), 1, (member, from, to) -> {
            long dW = dWeight.address();
            long dB = dBias == null ? 0 : dBias.address();
            if (!alone) {
                dW = scratch[member].reserve(Scratch.ROW, 8L * n);
                Vectors.zero(dW, 8L * n);
                dB = dBias == null ? 0 : dW + 4L * n;
            }
            for (long i = from; i < to; i++) {
                long dY = dOut.rowAddress(i);
                long x = in.rowAddress(i);
                float m = Vectors.getFloat(mean.address() + 4 * i);
                float r = Vectors.getFloat(rstd.address() + 4 * i);
                NormKernels.addParameterGradients(dY, x, dW, dB, n, m, r);
                NormKernels.backwardInput(dY, x, weight.address(), dIn.rowAddress(i), n, m, r, accumulate);
            }
        });
        if (!alone) {
            mergeColumnSums(in.rows(), n, dWeight, dBias);
        }
    }

    /** Adds the members' column sums, left in their ROW slots, in the order of members. */
    private void mergeColumnSums(long rows, int n, Tensor dWeight, Tensor dBias) {
        for (int m = 0; m < crew.size(); m++) {
            if (crew.bound(rows, 1, m) < crew.bound(rows, 1, m + 1)) {
                long sums = scratch[m].reserve(Scratch.ROW, 8L * n);
                if (dWeight != null) {
                    ElementKernels.add(dWeight.address(), sums, dWeight.address(), n);
                }
                if (dBias != null) {
                    ElementKernels.add(dBias.address(), sums + 4L * n, dBias.address(), n);
                }
            }
        }
    }

    @Override
    public void rmsNormForward(Tensor out, Tensor rstd, Tensor in, int heads, float epsilon) {
        Shapes.rmsNormForward(out, rstd, in, heads);
        int n = in.columns() / heads;
        boolean half = out.dtype() == DType.BF16;
        crew.forEachRange(in.rows(), 1, (member, from, to) -> {
            long work = half ? scratch[member].reserve(Scratch.ROW, 4L * n) : 0;
            for (long i = from; i < to; i++) {
                for (int h = 0; h < heads; h++) {
                    long x = at(in, i, h * n);
                    float r = NormKernels.reciprocalRootMeanSquare(x, n, epsilon);
                    putFloat(at(rstd, i, h), r);
                    ElementKernels.scale(x, half ? work : at(out, i, h * n), r, n);
                    if (half) {
                        ConversionKernels.toBf16(work, at(out, i, h * n), n);
                    }
                }
            }
        });
    }

    @Override
    public void rmsNormBackward(Tensor dIn, Tensor dOut, Tensor in, Tensor rstd, int heads, boolean accumulate) {
        Shapes.rmsNormBackward(dIn, dOut, in, rstd, heads);
        int n = in.columns() / heads;
        crew.forEachRange(in.rows(), 1, (member, from, to) -> {
            for (long i = from; i < to; i++) {
                for (int h = 0; h < heads; h++) {
                    int column = h * n;
                    float r = Vectors.getFloat(at(rstd, i, h));
                    NormKernels.rmsBackward(
                            at(dOut, i, column), at(in, i, column), at(dIn, i, column), n, r, accumulate);
                }
            }
        });
    }

    // ------------------------------------------------------------------ positions

    @Override
    public void rotaryForward(Tensor out, Tensor in, Tensor cosines, Tensor sines, int heads) {
        Shapes.rotaryForward(out, in, cosines, sines, heads);
        rotate(out, in, cosines, sines, heads, 1f);
    }

    @Override
    public void rotaryBackward(Tensor dIn, Tensor dOut, Tensor cosines, Tensor sines, int heads) {
        Shapes.rotaryBackward(dIn, dOut, cosines, sines, heads);
        rotate(dIn, dOut, cosines, sines, heads, -1f);
    }

    private void rotate(Tensor out, Tensor in, Tensor cosines, Tensor sines, int heads, float direction) {
        int length = in.dim(1);
        int width = in.columns() / heads;
        crew.forEachRange(in.rows(), 1, (member, from, to) -> {
            for (long i = from; i < to; i++) {
                long cos = cosines.rowAddress(i % length);
                long sin = sines.rowAddress(i % length);
                for (int h = 0; h < heads; h++) {
                    ElementKernels.rotate(at(in, i, h * width), at(out, i, h * width), cos, sin, width / 2, direction);
                }
            }
        });
    }

    // ------------------------------------------------------------------ products

    @Override
    public void linearForward(Tensor out, Tensor in, Tensor weight, Tensor bias, boolean accumulate) {
        Shapes.linearForward(out, in, weight, bias);
        if (bias != null) {
            int n = out.columns();
            crew.forEachRange(out.rows(), 1, (member, from, to) -> {
                for (long i = from; i < to; i++) {
                    if (accumulate) {
                        ElementKernels.add(out.rowAddress(i), bias.address(), out.rowAddress(i), n);
                    } else {
                        Vectors.copy(bias.address(), out.rowAddress(i), 4L * n);
                    }
                }
            });
        }
        product(false, true, out.rows(), weight.dim(0), weight.columns(), in, weight, accumulate || bias != null, out);
    }

    @Override
    public void linearBackwardInput(Tensor dIn, Tensor dOut, Tensor weight, boolean accumulate) {
        Shapes.linearBackwardInput(dIn, dOut, weight);
        product(false, false, dIn.rows(), weight.columns(), weight.dim(0), dOut, weight, accumulate, dIn);
    }

    @Override
    public void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dOut, Tensor in, boolean accumulate) {
        Shapes.linearBackwardWeight(dWeight, dBias, dOut, in);
        product(true, false, dWeight.dim(0), dWeight.columns(), in.rows(), dOut, in, accumulate, dWeight);
        if (dBias != null) {
            columnSums(dBias, dOut, accumulate);
        }
    }

    private void columnSums(Tensor sums, Tensor rows, boolean accumulate) {
        int n = rows.columns();
        boolean half = rows.dtype() == DType.BF16;
        // members take columns, so that each sum runs in one order
        crew.forEachRange(n, 64, (member, from, to) -> {
            int width = (int) (to - from);
            long work = half ? scratch[member].reserve(Scratch.ROW, 4L * width) : 0;
            long sum = sums.address() + 4 * from;
            if (!accumulate) {
                Vectors.zero(sum, 4L * width);
            }
            for (long i = 0; i < rows.rows(); i++) {
                long row = rows.rowAddress(i) + from * rows.dtype().bytes();
                if (half) {
                    ConversionKernels.fromBf16(row, work, width);
                }
                ElementKernels.add(sum, half ? work : row, sum, width);
            }
        });
    }

    /** c (m, n) (+)= op(a)·op(b), divided over the crew along the longer side of c. */
    private void product(boolean ta, boolean tb, int m, int n, int k, Tensor a, Tensor b, boolean add, Tensor c) {
        boolean half = a.dtype() == DType.BF16;
        int bytes = a.dtype().bytes();
        boolean byRows = m >= n;
        crew.forEachRange(byRows ? m : n, 16, (member, from, to) -> {
            int count = (int) (to - from);
            long aAt = a.address();
            long bAt = b.address();
            long cAt = c.address();
            if (byRows) {
                aAt += from * bytes * (ta ? 1 : a.rowStride());
                cAt += from * 4 * c.rowStride();
            } else {
                bAt += from * bytes * (tb ? b.rowStride() : 1);
                cAt += from * 4;
            }
            int rows = byRows ? count : m;
            int columns = byRows ? n : count;
            Scratch s = scratch[member];
            if (half) {
                gemm.bf16(ta, tb, rows, columns, k, aAt, a.rowStride(), bAt, b.rowStride(), add, cAt, c.rowStride(), s);
            } else {
                gemm.f32(ta, tb, rows, columns, k, aAt, a.rowStride(), bAt, b.rowStride(), add, cAt, c.rowStride(), s);
            }
        });
    }

    // ------------------------------------------------------------------ attention

    @Override
    public void attentionForward(
            Tensor out,
            Tensor logSumExp,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor firstKey,
            int headCount,
            Dropout dropout) {
        Shapes.attentionForward(out, logSumExp, q, k, v, firstKey, headCount);
        int length = q.dim(1);
        int width = q.columns() / headCount;
        crew.forEachRange((long) q.dim(0) * headCount, 1, (member, from, to) -> {
            AttentionHead head = heads[member];
            for (long unit = from; unit < to; unit++) {
                long first = unit / headCount * length;
                int column = (int) (unit % headCount) * width;
                take(head, unit, first, column, length, width, q, k, v, firstKey, dropout);
                long lse = logSumExp.address() + 4 * unit * length;
                if (head.writesWholeVectors() && out.dtype() == DType.F32) {
                    head.forward(at(out, first, column), 4 * out.rowStride(), lse);
                } else {
                    long result = head.resultScratch(1);
                    head.forward(result, 4L * head.paddedWidth(), lse);
                    emit(result, head.paddedWidth(), out, first, column, length, width);
                }
            }
        });
    }

    private static void take(
            AttentionHead head,
            long unit,
            long first,
            int column,
            int length,
            int width,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor firstKey,
            Dropout dropout) {
        head.head(
                length,
                width,
                firstKey == null ? 0 : firstKey.rowAddress(first / length),
                dropout,
                dropout.firstElement() + unit * length * length);
        head.rows(
                at(q, first, column),
                4 * q.rowStride(),
                at(k, first, column),
                4 * k.rowStride(),
                at(v, first, column),
                4 * v.rowStride());
    }

    /** Address of a column of a row. */
    private static long at(Tensor t, long row, int column) {
        return t.rowAddress(row) + (long) column * t.dtype().bytes();
    }

    /** Writes a head's padded rows to its columns of a tensor, converting when that is bf16. */
    private static void emit(long from, int paddedWidth, Tensor to, long first, int column, int length, int width) {
        for (int i = 0; i < length; i++) {
            long row = from + 4L * i * paddedWidth;
            long at = at(to, first + i, column);
            if (to.dtype() == DType.BF16) {
                ConversionKernels.toBf16(row, at, width);
            } else {
                Vectors.copy(row, at, 4L * width);
            }
        }
    }

    @Override
    public void attentionBackward(
            Tensor dQ,
            Tensor dK,
            Tensor dV,
            Tensor dOut,
            Tensor out,
            Tensor logSumExp,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor firstKey,
            int headCount,
            Dropout dropout) {
        Shapes.attentionBackward(dQ, dK, dV, dOut, out, logSumExp, q, k, v, firstKey, headCount);
        int length = q.dim(1);
        int width = q.columns() / headCount;
        crew.forEachRange((long) q.dim(0) * headCount, 1, (member, from, to) -> {
            AttentionHead head = heads[member];
            for (long unit = from; unit < to; unit++) {
                long first = unit / headCount * length;
                int column = (int) (unit % headCount) * width;
                take(head, unit, first, column, length, width, q, k, v, firstKey, dropout);
                long lse = logSumExp.address() + 4 * unit * length;
                long dOutAt = at(dOut, first, column);
                if (head.writesWholeVectors() && dQ.dtype() == DType.F32) {
                    head.backward(
                            dOutAt,
                            4 * dOut.rowStride(),
                            lse,
                            at(dQ, first, column),
                            4 * dQ.rowStride(),
                            at(dK, first, column),
                            4 * dK.rowStride(),
                            at(dV, first, column),
                            4 * dV.rowStride());
                } else {
                    int padded = head.paddedWidth();
                    long dq = head.resultScratch(3);
                    long dk = dq + 4L * length * padded;
                    long dv = dk + 4L * length * padded;
                    head.backward(dOutAt, 4 * dOut.rowStride(), lse, dq, 4L * padded, dk, 4L * padded, dv, 4L * padded);
                    emit(dq, padded, dQ, first, column, length, width);
                    emit(dk, padded, dK, first, column, length, width);
                    emit(dv, padded, dV, first, column, length, width);
                }
            }
        });
    }

    @Override
    public void attentionCached(
            Tensor out, Tensor keys, Tensor values, Tensor q, Tensor k, Tensor v, Tensor past, int headCount) {
        Shapes.attentionCached(out, keys, values, q, k, v, past, headCount);
        int length = q.dim(1);
        int width = q.columns() / headCount;
        requireRoom(past, length, keys.dim(2));
        long units = (long) q.dim(0) * headCount;
        boolean fromStart = length > 1 && startsAll(past);
        crew.forEachRange(units, 1, (member, from, to) -> {
            for (long unit = from; unit < to; unit++) {
                long b = unit / headCount;
                int column = (int) (unit % headCount) * width;
                int before = past(past, b);
                for (long t = 0; t < length; t++) {
                    long row = unit * keys.dim(2) + before + t;
                    Vectors.copy(at(k, b * length + t, column), keys.rowAddress(row), 4L * width);
                    Vectors.copy(at(v, b * length + t, column), values.rowAddress(row), 4L * width);
                }
                for (long t = 0; !fromStart && t < length; t++) {
                    CachedAttention.row(
                            at(out, b * length + t, column),
                            out.dtype(),
                            at(q, b * length + t, column),
                            keys,
                            values,
                            unit,
                            (int) (before + t + 1),
                            scratch[member]);
                }
            }
        });
        if (fromStart) {
            // many rows at once: attention as training has it
            long memory = scratch[0].reserve(Scratch.LOG_SUM_EXP, 4 * units * length);
            Tensor logSumExp = new Tensor("logSumExp", DType.F32, memory, length, q.dim(0), headCount, length);
            attentionForward(out, logSumExp, q, k, v, null, headCount, Dropout.NONE);
        }
    }

    /** Whether no sequence has any positions yet. */
    private static boolean startsAll(Tensor past) {
        for (long b = 0; b < past.size(); b++) {
            if (past(past, b) > 0) {
                return false;
            }
        }
        return true;
    }

    // ------------------------------------------------------------------ elementwise

    /** What an elementwise operation does to {@code n} elements; {@code first} is the index of the first of them. */
    @FunctionalInterface
    private interface Elements {
        void run(int member, long out, long a, long b, long first, long n);
    }

    /** Divides an elementwise operation into blocks that stay in the cache: stretches of flat tensors, rows of strided ones. */
    private void elementwise(Tensor out, Tensor a, Tensor b, Elements body) {
        if (out.isContiguous() && a.isContiguous() && b.isContiguous()) {
            crew.forEachRange(out.size(), SMALL, (member, from, to) -> {
                for (long i = from; i < to; i += SMALL) {
                    body.run(member, element(out, i), element(a, i), element(b, i), i, Math.min(SMALL, to - i));
                }
            });
        } else {
            crew.forEachRange(out.rows(), 1, (member, from, to) -> {
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
    public void activationForward(Tensor out, Tensor in, Activation activation) {
        Shapes.activationForward(out, in);
        boolean half = out.dtype() == DType.BF16;
        elementwise(out, in, in, (member, y, x, unused, first, n) -> {
            long result = half ? scratch[member].reserve(Scratch.ROW, 4 * n) : y;
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
    public void activationBackward(Tensor dIn, Tensor dOut, Tensor saved, Activation activation) {
        Shapes.activationBackward(dIn, dOut, saved);
        boolean half = dIn.dtype() == DType.BF16;
        elementwise(dIn, dOut, saved, (member, dx, dy, derivative, first, n) -> {
            long result = half ? scratch[member].reserve(Scratch.ROW, 4 * n) : dx;
            ElementKernels.multiply(dy, derivative, result, n);
            if (half) {
                ConversionKernels.toBf16(result, dx, n);
            }
        });
    }

    @Override
    public void dropout(Tensor out, Tensor in, Dropout dropout) {
        Shapes.dropout(out, in);
        elementwise(
                out,
                in,
                in,
                (member, y, x, unused, first, n) ->
                        ElementKernels.dropout(x, y, n, dropout, dropout.firstElement() + first));
    }

    @Override
    public void add(Tensor out, Tensor a, Tensor b) {
        Shapes.add(out, a, b);
        elementwise(out, a, b, (member, z, x, y, first, n) -> ElementKernels.add(x, y, z, n));
    }

    @Override
    public void convert(Tensor out, Tensor in) {
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
    public void zero(Tensor tensor) {
        elementwise(
                tensor,
                tensor,
                tensor,
                (member, at, same, again, first, n) ->
                        Vectors.zero(at, n * tensor.dtype().bytes()));
    }

    // ------------------------------------------------------------------ loss

    @Override
    public void crossEntropy(Tensor losses, Tensor logits, Tensor targets, float gradientScale, float softcap) {
        Shapes.crossEntropy(losses, logits, targets);
        int n = logits.columns();
        crew.forEachRange(logits.rows(), 1, (member, from, to) -> {
            long tanh = softcap > 0 ? scratch[member].reserve(Scratch.ROW, 4L * n) : 0;
            for (long i = from; i < to; i++) {
                long z = logits.rowAddress(i);
                if (softcap > 0) {
                    LossKernels.cap(z, tanh, z, n, softcap);
                }
                float loss = LossKernels.lossAndGradient(z, n, target(targets, i, n), gradientScale);
                if (softcap > 0) {
                    LossKernels.uncapGradient(z, tanh, n);
                }
                putFloat(losses.address() + 4 * i, loss);
            }
        });
    }

    @Override
    public void crossEntropyForward(Tensor losses, Tensor logits, Tensor targets, float softcap) {
        Shapes.crossEntropyForward(losses, logits, targets);
        int n = logits.columns();
        crew.forEachRange(logits.rows(), 1, (member, from, to) -> {
            long work = scratch[member].reserve(Scratch.ROW, 8L * n + 64);
            long capped = work + 4L * n;
            for (long i = from; i < to; i++) {
                long z = logits.rowAddress(i);
                if (softcap > 0) {
                    LossKernels.cap(z, work, capped, n, softcap);
                    z = capped;
                }
                putFloat(losses.address() + 4 * i, LossKernels.loss(z, work, n, target(targets, i, n)));
            }
        });
    }

    private static int target(Tensor targets, long i, int vocabulary) {
        int target = getInt(targets.address() + 4 * i);
        if (target < -1 || target >= vocabulary) {
            throw new IllegalArgumentException(
                    "target " + target + " at place " + i + " is outside of the vocabulary of " + vocabulary);
        }
        return target;
    }

    // ------------------------------------------------------------------ optimizers

    @Override
    public void sum(Tensor out, Tensor[] sources, long from, long to) {
        Shapes.sum(out, sources, from, to);
        crew.forEachRange(to - from, SMALL, (member, start, end) -> {
            // block by block, so that partial sums stay in the cache
            for (long i = from + start; i < from + end; i += SMALL) {
                long n = Math.min(SMALL, from + end - i);
                long target = out.address() + 4 * i;
                long first = sources[0].address() + 4 * i;
                if (sources.length == 1) {
                    if (first != target) {
                        Vectors.copy(first, target, 4 * n);
                    }
                    continue;
                }
                ElementKernels.add(first, sources[1].address() + 4 * i, target, n);
                for (int s = 2; s < sources.length; s++) {
                    ElementKernels.add(target, sources[s].address() + 4 * i, target, n);
                }
            }
        });
    }

    @Override
    public double sumOfSquares(Tensor tensor, long from, long to) {
        Shapes.sumOfSquares(tensor, from, to);
        Arrays.fill(partial, 0);
        crew.forEachRange(to - from, SQUARES, (member, start, end) -> {
            double sum = 0;
            for (long i = from + start; i < from + end; i += SQUARES) {
                sum += ElementKernels.sumOfSquares(tensor.address() + 4 * i, Math.min(SQUARES, from + end - i));
            }
            partial[member] = sum;
        });
        double total = 0;
        for (double p : partial) {
            total += p;
        }
        return total;
    }

    @Override
    public void adamW(
            Tensor weights,
            Tensor gradients,
            Tensor firstMoment,
            Tensor secondMoment,
            long from,
            long to,
            AdamW settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step) {
        Shapes.adamW(weights, gradients, firstMoment, secondMoment, from, to, step);
        float stepSize = (float) (learningRate / (1 - Math.pow(settings.beta1(), (double) step)));
        float correction2 = (float) (1 / Math.sqrt(1 - Math.pow(settings.beta2(), (double) step)));
        ElementKernels.AdamWFactors factors = new ElementKernels.AdamWFactors(
                settings.beta1(),
                settings.beta2(),
                settings.epsilon(),
                stepSize,
                1 - learningRate * weightDecay,
                correction2,
                gradientScale);
        crew.forEachRange(to - from, SMALL, (member, start, end) -> {
            long offset = 4 * (from + start);
            ElementKernels.adamW(
                    weights.address() + offset,
                    gradients.address() + offset,
                    firstMoment.address() + offset,
                    secondMoment.address() + offset,
                    end - start,
                    factors);
        });
    }
}
