package pacer.trainer.ops;

import java.util.Arrays;

/**
 * The specification of {@link Operations}: each operation reads its inputs as doubles, does what its formula says, and
 * rounds once when it stores. Being a copy, what is read is the state before the call, so in-place use needs no care.
 * Beyond shapes it checks contents too: token numbers, targets, first keys.
 */
final class ReferenceOperations implements Operations {
    private final ReferenceDevice device;

    ReferenceOperations(ReferenceDevice device) {
        this.device = device;
    }

    // ------------------------------------------------------------------ embedding

    @Override
    public void embeddingForward(
            Tensor out, Tensor tokens, Tensor tokenEmbedding, Tensor positionEmbedding, Tensor past) {
        Shapes.embeddingForward(out, tokens, tokenEmbedding, positionEmbedding, past);
        int[] token = numbers(tokens, 0, tokenEmbedding.rows(), "embeddingForward: token");
        double[][] table = device.load(tokenEmbedding); // (V, C)
        double[][] x = new double[out.rows()][]; // (B*T, C)
        for (int r = 0; r < x.length; r++) {
            x[r] = table[token[r]].clone();
        }
        if (positionEmbedding != null) {
            double[][] position = device.load(positionEmbedding); // (maxT, C)
            int[] before = past(past, tokens.dim(0), tokens.columns(), position.length, "embeddingForward");
            for (int r = 0; r < x.length; r++) {
                addScaled(x[r], 1, position[before[r / tokens.columns()] + r % tokens.columns()]);
            }
        }
        device.store(out, x);
    }

    @Override
    public void embeddingBackward(Tensor dTokenEmbedding, Tensor dPositionEmbedding, Tensor dOut, Tensor tokens) {
        Shapes.embeddingBackward(dTokenEmbedding, dPositionEmbedding, dOut, tokens);
        int[] token = numbers(tokens, 0, dTokenEmbedding.rows(), "embeddingBackward: token");
        double[][] dy = device.load(dOut); // (B*T, C)
        double[][] dTable = device.load(dTokenEmbedding); // (V, C)
        for (int r = 0; r < dy.length; r++) {
            addScaled(dTable[token[r]], 1, dy[r]);
        }
        device.store(dTokenEmbedding, dTable);
        if (dPositionEmbedding != null) {
            double[][] dPosition = device.load(dPositionEmbedding); // (maxT, C)
            for (int r = 0; r < dy.length; r++) {
                addScaled(dPosition[r % tokens.columns()], 1, dy[r]);
            }
            device.store(dPositionEmbedding, dPosition);
        }
    }

    // ------------------------------------------------------------------ normalisation

    @Override
    public void layerNormForward(
            Tensor out, Tensor mean, Tensor rstd, Tensor in, Tensor weight, Tensor bias, float epsilon) {
        Shapes.layerNormForward(out, mean, rstd, in, weight, bias);
        double[][] x = device.load(in); // (rows, C)
        double[] w = vector(weight);
        double[] b = bias == null ? new double[w.length] : vector(bias);
        double[] m = new double[x.length];
        double[] s = new double[x.length];
        for (int r = 0; r < x.length; r++) {
            for (double value : x[r]) {
                m[r] += value / x[r].length;
            }
            double variance = 0;
            for (double value : x[r]) {
                variance += (value - m[r]) * (value - m[r]) / x[r].length;
            }
            s[r] = 1 / Math.sqrt(variance + epsilon);
            for (int c = 0; c < x[r].length; c++) {
                x[r][c] = (x[r][c] - m[r]) * s[r] * w[c] + b[c];
            }
        }
        device.store(out, x);
        device.store(mean, 0, m);
        device.store(rstd, 0, s);
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
        double[][] dy = device.load(dOut); // (rows, C)
        double[][] x = device.load(in); // (rows, C)
        double[][] dx = target(dIn, accumulate); // (rows, C)
        double[] w = vector(weight);
        double[] dw = vector(dWeight);
        double[] db = dBias == null ? new double[w.length] : vector(dBias);
        double[] m = vector(mean); // (rows)
        double[] s = vector(rstd); // (rows)
        for (int r = 0; r < x.length; r++) {
            int width = x[r].length;
            double[] normalised = new double[width];
            double[] dNormalised = new double[width];
            double average = 0; // of dNormalised
            double projection = 0; // average of dNormalised · normalised
            for (int c = 0; c < width; c++) {
                normalised[c] = (x[r][c] - m[r]) * s[r];
                dNormalised[c] = dy[r][c] * w[c];
                average += dNormalised[c] / width;
                projection += dNormalised[c] * normalised[c] / width;
                dw[c] += dy[r][c] * normalised[c];
                db[c] += dy[r][c];
            }
            for (int c = 0; c < width; c++) {
                dx[r][c] += s[r] * (dNormalised[c] - average - normalised[c] * projection);
            }
        }
        device.store(dIn, dx);
        device.store(dWeight, 0, dw);
        if (dBias != null) {
            device.store(dBias, 0, db);
        }
    }

    @Override
    public void rmsNormForward(Tensor out, Tensor rstd, Tensor in, int heads, float epsilon) {
        Shapes.rmsNormForward(out, rstd, in, heads);
        double[][] x = device.load(in); // (rows, C)
        double[] s = new double[x.length * heads]; // (rows, heads)
        int width = in.columns() / heads;
        for (int r = 0; r < x.length; r++) {
            for (int h = 0; h < heads; h++) {
                double meanSquare = dot(x[r], x[r], h * width, width) / width;
                s[r * heads + h] = 1 / Math.sqrt(meanSquare + epsilon);
                for (int c = h * width; c < (h + 1) * width; c++) {
                    x[r][c] *= s[r * heads + h];
                }
            }
        }
        device.store(out, x);
        device.store(rstd, 0, s);
    }

    @Override
    public void rmsNormBackward(Tensor dIn, Tensor dOut, Tensor in, Tensor rstd, int heads, boolean accumulate) {
        Shapes.rmsNormBackward(dIn, dOut, in, rstd, heads);
        double[][] dy = device.load(dOut); // (rows, C)
        double[][] x = device.load(in); // (rows, C)
        double[][] dx = target(dIn, accumulate); // (rows, C)
        double[] s = vector(rstd); // (rows, heads)
        int width = in.columns() / heads;
        for (int r = 0; r < x.length; r++) {
            for (int h = 0; h < heads; h++) {
                double scale = s[r * heads + h];
                double projection = dot(dy[r], x[r], h * width, width) * scale / width; // average of dOut · out
                for (int c = h * width; c < (h + 1) * width; c++) {
                    dx[r][c] += scale * (dy[r][c] - x[r][c] * scale * projection);
                }
            }
        }
        device.store(dIn, dx);
    }

    // ------------------------------------------------------------------ positions

    @Override
    public void rotaryForward(Tensor out, Tensor in, Tensor cosines, Tensor sines, int heads) {
        Shapes.rotaryForward(out, in, cosines, sines, heads);
        rotate(out, in, cosines, sines, heads, 1);
    }

    @Override
    public void rotaryBackward(Tensor dIn, Tensor dOut, Tensor cosines, Tensor sines, int heads) {
        Shapes.rotaryBackward(dIn, dOut, cosines, sines, heads);
        rotate(dIn, dOut, cosines, sines, heads, -1);
    }

    private void rotate(Tensor out, Tensor in, Tensor cosines, Tensor sines, int heads, int direction) {
        double[][] x = device.load(in); // (B*T, C)
        double[][] cos = device.load(cosines); // (maxT, D/2)
        double[][] sin = device.load(sines);
        int half = cosines.columns(); // D/2
        for (int r = 0; r < x.length; r++) {
            int t = r % in.dim(1);
            for (int h = 0; h < heads; h++) {
                for (int j = 0; j < half; j++) {
                    int a = 2 * half * h + j;
                    int b = a + half;
                    double first = x[r][a];
                    double second = x[r][b];
                    x[r][a] = first * cos[t][j] + direction * second * sin[t][j];
                    x[r][b] = second * cos[t][j] - direction * first * sin[t][j];
                }
            }
        }
        device.store(out, x);
    }

    // ------------------------------------------------------------------ products

    @Override
    public void linearForward(Tensor out, Tensor in, Tensor weight, Tensor bias, boolean accumulate) {
        Shapes.linearForward(out, in, weight, bias);
        double[][] x = device.load(in); // (rows, K)
        double[][] w = device.load(weight); // (N, K)
        double[] b = bias == null ? new double[w.length] : vector(bias);
        double[][] y = target(out, accumulate); // (rows, N)
        for (int r = 0; r < x.length; r++) {
            for (int n = 0; n < w.length; n++) {
                y[r][n] += dot(x[r], w[n], 0, w[n].length) + b[n];
            }
        }
        device.store(out, y);
    }

    @Override
    public void linearBackwardInput(Tensor dIn, Tensor dOut, Tensor weight, boolean accumulate) {
        Shapes.linearBackwardInput(dIn, dOut, weight);
        double[][] dy = device.load(dOut); // (rows, N)
        double[][] w = device.load(weight); // (N, K)
        double[][] dx = target(dIn, accumulate); // (rows, K)
        for (int r = 0; r < dy.length; r++) {
            for (int n = 0; n < w.length; n++) {
                addScaled(dx[r], dy[r][n], w[n]);
            }
        }
        device.store(dIn, dx);
    }

    @Override
    public void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dOut, Tensor in, boolean accumulate) {
        Shapes.linearBackwardWeight(dWeight, dBias, dOut, in);
        double[][] dy = device.load(dOut); // (rows, N)
        double[][] x = device.load(in); // (rows, K)
        double[][] dw = accumulate ? device.load(dWeight) : new double[dWeight.rows()][dWeight.columns()]; // (N, K)
        for (int r = 0; r < x.length; r++) {
            for (int n = 0; n < dw.length; n++) {
                addScaled(dw[n], dy[r][n], x[r]);
            }
        }
        device.store(dWeight, dw);
        if (dBias != null) {
            double[] db = accumulate ? vector(dBias) : new double[dBias.columns()];
            for (double[] row : dy) {
                addScaled(db, 1, row);
            }
            device.store(dBias, 0, db);
        }
    }

    // ------------------------------------------------------------------ attention

    @Override
    public void attentionForward(
            Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Tensor firstKey, int heads, Dropout dropout) {
        Shapes.attentionForward(out, logSumExp, q, k, v, firstKey, heads);
        int length = q.dim(1); // T
        int width = q.dim(2) / heads; // D
        int[] first = firstKeys(firstKey, q, "attentionForward");
        double[][] query = device.load(q); // (B*T, C)
        double[][] key = device.load(k);
        double[][] value = device.load(v);
        double[][] y = new double[q.rows()][q.columns()];
        double[] lse = new double[q.rows() * heads]; // (B, H, T)
        for (int b = 0; b < q.dim(0); b++) {
            for (int h = 0; h < heads; h++) {
                for (int t = 0; t < length; t++) {
                    int row = b * length + t;
                    int entry = (b * heads + h) * length + t;
                    double[] scores = scores(query, key, b, t, first[row], length, h * width, width);
                    lse[entry] = logSumExp(scores, first[row], t + 1);
                    for (int s = first[row]; s <= t; s++) {
                        double p = Math.exp(scores[s] - lse[entry]) * factor(dropout, (long) entry * length + s);
                        for (int c = h * width; c < (h + 1) * width; c++) {
                            y[row][c] += p * value[b * length + s][c];
                        }
                    }
                }
            }
        }
        device.store(out, y);
        device.store(logSumExp, new double[][] {lse});
    }

    /**
     * With P the probabilities, M the dropout factors and O = (P∘M)·V: dV = (P∘M)ᵀ·dO; dP = M∘(dO·Vᵀ);
     * dS = P∘(dP - rowSum(P∘dP)); dQ = dS·K/√D; dK = dSᵀ·Q/√D. That row sum equals rowSum(dO∘O), which is what a fast
     * device takes {@code out} for.
     */
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
            int heads,
            Dropout dropout) {
        Shapes.attentionBackward(dQ, dK, dV, dOut, out, logSumExp, q, k, v, firstKey, heads);
        int length = q.dim(1); // T
        int width = q.dim(2) / heads; // D
        int[] first = firstKeys(firstKey, q, "attentionBackward");
        double[][] dy = device.load(dOut); // (B*T, C)
        double[][] query = device.load(q);
        double[][] key = device.load(k);
        double[][] value = device.load(v);
        double[][] lse = device.load(logSumExp); // (B*H, T)
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
                        double m = factor(dropout, stream + s);
                        p[s] = Math.exp(scores[s] - lse[b * heads + h][t]);
                        dP[s] = m * dot(dy[row], value[b * length + s], h * width, width);
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
        device.store(dQ, dQuery);
        device.store(dK, dKey);
        device.store(dV, dValue);
    }

    /** q·kᵀ/√D of position t with positions first … t, at the index of the latter. */
    private static double[] scores(
            double[][] query, double[][] key, int b, int t, int first, int length, int column, int width) {
        double[] scores = new double[t + 1];
        for (int s = first; s <= t; s++) {
            scores[s] = dot(query[b * length + t], key[b * length + s], column, width) / Math.sqrt(width);
        }
        return scores;
    }

    private int[] firstKeys(Tensor firstKey, Tensor q, String op) {
        if (firstKey == null) {
            return new int[q.rows()];
        }
        int[] first = device.loadIntegers(firstKey);
        for (int r = 0; r < first.length; r++) {
            int t = r % q.dim(1);
            if (first[r] < 0 || first[r] > t || (t > 0 && first[r] < first[r - 1])) {
                throw new IllegalArgumentException(
                        op + ": firstKey " + firstKey + " holds " + first[r] + " at sequence " + r / q.dim(1)
                                + ", position " + t + "; it must be 0 to " + t + " and never decrease");
            }
        }
        return first;
    }

    @Override
    public void attentionCached(
            Tensor out, Tensor keys, Tensor values, Tensor q, Tensor k, Tensor v, Tensor past, int heads) {
        Shapes.attentionCached(out, keys, values, q, k, v, past, heads);
        int length = q.dim(1); // T
        int width = q.dim(2) / heads; // D
        int room = keys.dim(2); // maxT
        int[] before = past(past, q.dim(0), length, room, "attentionCached");
        double[][] query = device.load(q); // (B*T, C)
        double[][] newKey = device.load(k);
        double[][] newValue = device.load(v);
        double[][] key = device.load(keys); // (B*H*maxT, D)
        double[][] value = device.load(values);
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
                    for (int s = 0; s <= at; s++) {
                        scores[s] = dot(own, key[first + s], 0, width) / Math.sqrt(width);
                    }
                    double logSumExp = logSumExp(scores, 0, at + 1);
                    for (int s = 0; s <= at; s++) {
                        for (int c = 0; c < width; c++) {
                            y[row][h * width + c] += Math.exp(scores[s] - logSumExp) * value[first + s][c];
                        }
                    }
                }
            }
        }
        device.store(keys, key);
        device.store(values, value);
        device.store(out, y);
    }

    /** How many positions came before in each of {@code sequences}; with {@code length} more they must fit. */
    private int[] past(Tensor past, int sequences, int length, int room, String op) {
        if (past == null) {
            return new int[sequences];
        }
        int[] before = device.loadIntegers(past);
        for (int b = 0; b < sequences; b++) {
            if (before[b] < 0 || before[b] > room - length) {
                throw new IllegalArgumentException(op + ": past " + past + " holds " + before[b] + " at sequence " + b
                        + "; with " + length + " new positions it must be 0 to " + (room - length));
            }
        }
        return before;
    }

    // ------------------------------------------------------------------ elementwise

    @Override
    public void activationForward(Tensor out, Tensor in, Activation activation) {
        Shapes.activationForward(out, in);
        double[][] x = device.load(in);
        for (double[] row : x) {
            for (int c = 0; c < row.length; c++) {
                row[c] = activation(row[c], activation);
            }
        }
        device.store(out, x);
    }

    @Override
    public void activationBackward(Tensor dIn, Tensor dOut, Tensor in, Activation activation) {
        Shapes.activationBackward(dIn, dOut, in);
        double[][] dy = device.load(dOut);
        double[][] x = device.load(in);
        for (int r = 0; r < x.length; r++) {
            for (int c = 0; c < x[r].length; c++) {
                dy[r][c] *= derivative(x[r][c], activation);
            }
        }
        device.store(dIn, dy);
    }

    private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

    private static double activation(double x, Activation activation) {
        return switch (activation) {
            case GELU_ERF -> x * Normal.cumulative(x);
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)));
            case RELU_SQUARED -> Math.max(x, 0) * Math.max(x, 0);
        };
    }

    private static double derivative(double x, Activation activation) {
        return switch (activation) {
            case GELU_ERF -> Normal.cumulative(x) + x * Normal.density(x);
            case GELU_TANH -> {
                double tanh = Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
                double slope = SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x);
                yield 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * slope;
            }
            case RELU_SQUARED -> 2 * Math.max(x, 0);
        };
    }

    @Override
    public void dropout(Tensor out, Tensor in, Dropout dropout) {
        Shapes.dropout(out, in);
        double[][] x = device.load(in);
        for (int r = 0; r < x.length; r++) {
            for (int c = 0; c < x[r].length; c++) {
                x[r][c] *= factor(dropout, (long) r * x[r].length + c);
            }
        }
        device.store(out, x);
    }

    /** What dropout multiplies element {@code i} by. */
    private static double factor(Dropout dropout, long i) {
        if (!dropout.isActive()) {
            return 1;
        }
        return dropout.keeps(i) ? dropout.scale() : 0;
    }

    @Override
    public void add(Tensor out, Tensor a, Tensor b) {
        Shapes.add(out, a, b);
        double[][] sum = device.load(a);
        double[][] summand = device.load(b);
        for (int r = 0; r < sum.length; r++) {
            addScaled(sum[r], 1, summand[r]);
        }
        device.store(out, sum);
    }

    @Override
    public void convert(Tensor out, Tensor in) {
        Shapes.convert(out, in);
        device.store(out, device.load(in));
    }

    @Override
    public void zero(Tensor tensor) {
        device.store(tensor, new double[tensor.rows()][tensor.columns()]);
    }

    // ------------------------------------------------------------------ loss

    @Override
    public void crossEntropy(Tensor losses, Tensor logits, Tensor targets, float gradientScale, float softcap) {
        Shapes.crossEntropy(losses, logits, targets);
        int[] target = numbers(targets, -1, logits.columns(), "crossEntropy: target");
        double[][] z = device.load(logits); // (rows, V)
        double[] loss = new double[z.length];
        for (int r = 0; r < z.length; r++) {
            double[] slope = cap(z[r], softcap);
            double lse = logSumExp(z[r], 0, z[r].length);
            loss[r] = target[r] < 0 ? 0 : lse - z[r][target[r]];
            for (int n = 0; n < z[r].length; n++) {
                double oneHot = n == target[r] ? 1 : 0;
                z[r][n] = target[r] < 0 ? 0 : (Math.exp(z[r][n] - lse) - oneHot) * slope[n] * gradientScale;
            }
        }
        device.store(losses, 0, loss);
        device.store(logits, z);
    }

    @Override
    public void crossEntropyForward(Tensor losses, Tensor logits, Tensor targets, float softcap) {
        Shapes.crossEntropyForward(losses, logits, targets);
        int[] target = numbers(targets, -1, logits.columns(), "crossEntropyForward: target");
        double[][] z = device.load(logits); // (rows, V)
        double[] loss = new double[z.length];
        for (int r = 0; r < z.length; r++) {
            cap(z[r], softcap);
            loss[r] = target[r] < 0 ? 0 : logSumExp(z[r], 0, z[r].length) - z[r][target[r]];
        }
        device.store(losses, 0, loss);
    }

    /** Caps logits where they are, and returns the derivatives. */
    private static double[] cap(double[] z, double softcap) {
        double[] slope = new double[z.length];
        for (int n = 0; n < z.length; n++) {
            double tanh = softcap == 0 ? 0 : Math.tanh(z[n] / softcap);
            z[n] = softcap == 0 ? z[n] : softcap * tanh;
            slope[n] = 1 - tanh * tanh;
        }
        return slope;
    }

    // ------------------------------------------------------------------ optimizers

    @Override
    public void sum(Tensor out, Tensor[] sources, long from, long to) {
        Shapes.sum(out, sources, from, to);
        double[] total = device.load(sources[0], from, to);
        for (int s = 1; s < sources.length; s++) {
            addScaled(total, 1, device.load(sources[s], from, to));
        }
        device.store(out, from, total);
    }

    @Override
    public double sumOfSquares(Tensor tensor, long from, long to) {
        Shapes.sumOfSquares(tensor, from, to);
        double total = 0;
        for (double value : device.load(tensor, from, to)) {
            total += value * value;
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
        double[] w = device.load(weights, from, to);
        double[] g = device.load(gradients, from, to);
        double[] m = device.load(firstMoment, from, to);
        double[] v = device.load(secondMoment, from, to);
        double beta1 = settings.beta1();
        double beta2 = settings.beta2();
        for (int i = 0; i < w.length; i++) {
            double gradient = g[i] * gradientScale;
            m[i] = beta1 * m[i] + (1 - beta1) * gradient;
            v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
            double mean = m[i] / (1 - Math.pow(beta1, (double) step));
            double deviation = Math.sqrt(v[i] / (1 - Math.pow(beta2, (double) step)));
            w[i] -= learningRate * weightDecay * w[i];
            w[i] -= learningRate * mean / (deviation + settings.epsilon());
        }
        device.store(weights, from, w);
        device.store(firstMoment, from, m);
        device.store(secondMoment, from, v);
    }

    // ------------------------------------------------------------------ shared loops

    /** What an operation adds to: the tensor's values, or zeros where they are to be overwritten. */
    private double[][] target(Tensor tensor, boolean accumulate) {
        return accumulate ? device.load(tensor) : new double[tensor.rows()][tensor.columns()];
    }

    /** A one-dimensional or (rows) tensor. */
    private double[] vector(Tensor tensor) {
        return device.load(tensor, 0, tensor.size());
    }

    /** Integers that must lie in [from, to). */
    private int[] numbers(Tensor tensor, int from, int to, String what) {
        int[] numbers = device.loadIntegers(tensor);
        for (int i = 0; i < numbers.length; i++) {
            if (numbers[i] < from || numbers[i] >= to) {
                throw new IllegalArgumentException(what + " " + i + " of " + tensor + " is " + numbers[i]
                        + "; it must be " + from + " to " + (to - 1));
            }
        }
        return numbers;
    }

    private static double dot(double[] a, double[] b, int from, int count) {
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    /** y += a·x. */
    private static void addScaled(double[] y, double a, double[] x) {
        for (int i = 0; i < y.length; i++) {
            y[i] += a * x[i];
        }
    }

    /** log Σ exp of elements [from, to), without overflow. */
    private static double logSumExp(double[] values, int from, int to) {
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
}
