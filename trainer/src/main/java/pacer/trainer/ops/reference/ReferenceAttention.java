package pacer.trainer.ops.reference;

import java.util.Arrays;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Attention. */
interface ReferenceAttention extends ReferenceWork {
    @Override
    default void attentionForward(
            Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Tensor firstKey, int heads, Dropout dropout) {
        Shapes.attentionForward(out, logSumExp, q, k, v, firstKey, heads);
        int length = q.dim(1); // T
        int width = q.dim(2) / heads; // D
        int[] first = firstKeys(firstKey, q, new int[q.dim(0)], "attentionForward");
        double[][] query = device().load(q); // (B*T, C)
        double[][] key = device().load(k);
        double[][] value = device().load(v);
        double[][] y = new double[q.rows()][q.columns()];
        double[] lse = new double[q.rows() * heads]; // (B, H, T)
        for (int b = 0; b < q.dim(0); b++) {
            for (int h = 0; h < heads; h++) {
                for (int t = 0; t < length; t++) {
                    int row = b * length + t;
                    int entry = (b * heads + h) * length + t;
                    double[] scores = scores(query, key, b, t, first[row], length, h * width, width);
                    lse[entry] = ReferenceWork.logSumExp(scores, first[row], t + 1);
                    for (int s = first[row]; s <= t; s++) {
                        double p = Math.exp(scores[s] - lse[entry])
                                * ReferenceWork.factor(dropout, (long) entry * length + s);
                        for (int c = h * width; c < (h + 1) * width; c++) {
                            y[row][c] += p * value[b * length + s][c];
                        }
                    }
                }
            }
        }
        device().store(out, y);
        device().store(logSumExp, new double[][] {lse});
    }

    /**
     * With P the probabilities, M the dropout factors and O = (P∘M)·V: dV = (P∘M)ᵀ·dO; dP = M∘(dO·Vᵀ);
     * dS = P∘(dP - rowSum(P∘dP)); dQ = dS·K/√D; dK = dSᵀ·Q/√D. That row sum equals rowSum(dO∘O), which is what a fast
     * device takes {@code out} for.
     */
    @Override
    default void attentionBackward(
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
            int heads,
            Dropout dropout) {
        Shapes.attentionBackward(dQ, dK, dV, dOut, out, logSumExp, q, k, v, firstKey, heads);
        int length = q.dim(1); // T
        int width = q.dim(2) / heads; // D
        int[] first = firstKeys(firstKey, q, new int[q.dim(0)], "attentionBackward");
        double[][] dy = device().load(dOut); // (B*T, C)
        double[][] query = device().load(q);
        double[][] key = device().load(k);
        double[][] value = device().load(v);
        double[][] lse = device().load(logSumExp); // (B*H, T)
        double[][] dQuery = new double[q.rows()][q.columns()];
        double[][] dKey = new double[q.rows()][q.columns()];
        double[][] dValue = new double[q.rows()][q.columns()];
        for (int b = 0; b < q.dim(0); b++) {
            for (int h = 0; h < heads; h++) {
                for (int t = 0; t < length; t++) {
                    int row = b * length + t;
                    long stream = ((long) (b * heads + h) * length + t) * length;
                    double[] scores = scores(query, key, b, t, first[row], length, h * width, width);
                    double[] p = new double[t + 1];
                    double[] dP = new double[t + 1];
                    double rowSum = 0;
                    for (int s = first[row]; s <= t; s++) {
                        double m = ReferenceWork.factor(dropout, stream + s);
                        p[s] = Math.exp(scores[s] - lse[b * heads + h][t]);
                        dP[s] = m * ReferenceWork.dot(dy[row], value[b * length + s], h * width, width);
                        rowSum += p[s] * dP[s];
                        for (int c = h * width; c < (h + 1) * width; c++) {
                            dValue[b * length + s][c] += m * p[s] * dy[row][c];
                        }
                    }
                    for (int s = first[row]; s <= t; s++) {
                        double dScore = p[s] * (dP[s] - rowSum) / Math.sqrt(width);
                        for (int c = h * width; c < (h + 1) * width; c++) {
                            dQuery[row][c] += dScore * key[b * length + s][c];
                            dKey[b * length + s][c] += dScore * query[row][c];
                        }
                    }
                }
            }
        }
        device().store(dQ, dQuery);
        device().store(dK, dKey);
        device().store(dV, dValue);
    }

    /** q·kᵀ/√D of position t with positions first … t, at the index of the latter. */
    private static double[] scores(
            double[][] query, double[][] key, int b, int t, int first, int length, int column, int width) {
        double[] scores = new double[t + 1];
        for (int s = first; s <= t; s++) {
            scores[s] = ReferenceWork.dot(query[b * length + t], key[b * length + s], column, width) / Math.sqrt(width);
        }
        return scores;
    }

    private int[] firstKeys(Tensor firstKey, Tensor q, int[] before, String op) {
        if (firstKey == null) {
            return new int[q.rows()];
        }
        int[] first = device().loadIntegers(firstKey);
        for (int r = 0; r < first.length; r++) {
            int t = r % q.dim(1);
            int own = before[r / q.dim(1)] + t;
            if (first[r] < 0 || first[r] > own || (t > 0 && first[r] < first[r - 1])) {
                throw new IllegalArgumentException(
                        op + ": firstKey " + firstKey + " holds " + first[r] + " at sequence " + r / q.dim(1)
                                + ", position " + t + "; it must be 0 to " + own + " and never decrease");
            }
        }
        return first;
    }

    @Override
    default void attentionCached(
            Tensor out,
            Tensor keys,
            Tensor values,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor past,
            Tensor firstKey,
            int heads) {
        Shapes.attentionCached(out, keys, values, q, k, v, past, firstKey, heads);
        int length = q.dim(1); // T
        int width = q.dim(2) / heads; // D
        int room = keys.dim(2); // maxT
        int[] before = past(past, q.dim(0), length, room, "attentionCached");
        int[] firsts = firstKeys(firstKey, q, before, "attentionCached");
        double[][] query = device().load(q); // (B*T, C)
        double[][] newKey = device().load(k);
        double[][] newValue = device().load(v);
        double[][] key = device().load(keys); // (B*H*maxT, D)
        double[][] value = device().load(values);
        double[][] y = new double[q.rows()][q.columns()];
        for (int b = 0; b < q.dim(0); b++) {
            for (int h = 0; h < heads; h++) {
                int first = (b * heads + h) * room; // the head's first row of the caches
                for (int t = 0; t < length; t++) {
                    int at = before[b] + t;
                    int row = b * length + t;
                    System.arraycopy(newKey[row], h * width, key[first + at], 0, width);
                    System.arraycopy(newValue[row], h * width, value[first + at], 0, width);
                    double[] own = Arrays.copyOfRange(query[row], h * width, (h + 1) * width);
                    double[] scores = new double[at + 1];
                    for (int s = firsts[row]; s <= at; s++) {
                        scores[s] = ReferenceWork.dot(own, key[first + s], 0, width) / Math.sqrt(width);
                    }
                    double logSumExp = ReferenceWork.logSumExp(scores, firsts[row], at + 1);
                    for (int s = firsts[row]; s <= at; s++) {
                        for (int c = 0; c < width; c++) {
                            y[row][h * width + c] += Math.exp(scores[s] - logSumExp) * value[first + s][c];
                        }
                    }
                }
            }
        }
        device().store(keys, key);
        device().store(values, value);
        device().store(out, y);
    }
}
