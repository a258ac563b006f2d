package pacer.trainer.ops;

import java.util.Arrays;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.Stage.Tolerance;

/** The part of the suite on embedding, normalisation, products and attention. */
public abstract class LayerConformance extends Conformance {
    private static final int[] HEAD_WIDTHS = {1, 5, 8, 16, 20, 32, 64};
    private static final int[] LENGTHS = {1, 2, 7, 16, 33, 64, 65, 130, 256};

    // ------------------------------------------------------------------ embedding

    @Test
    void embeddingForward() {
        forEmbeddings(
                "embeddingForward",
                (name, b, t, c, v) -> trials.play(name, s -> {
                    Tensor out = s.out("out", DType.F32, Tolerance.EXACT, b, t, c);
                    Tensor tokens = s.integers("tokens", tokens(name, v), b, t);
                    Tensor table = s.in("tokenEmbedding", DType.F32, v, c);
                    Tensor positions = flag(name, 1) ? s.in("positionEmbedding", DType.F32, t + 2, c) : null;
                    Tensor past = flag(name, 2) ? s.integers("past", i -> 2 - i % 2, b) : null;
                    s.operations().embeddingForward(out, tokens, table, positions, past);
                }));
    }

    @Test
    void embeddingBackward() {
        forEmbeddings(
                "embeddingBackward",
                (name, b, t, c, v) -> trials.play(name, s -> {
                    Tensor dTable = s.sum("dTokenEmbedding", DType.F32, sumOf(b * t), v, c);
                    Tensor dPositions =
                            flag(name, 1) ? s.sum("dPositionEmbedding", DType.F32, sumOf(b), t + 2, c) : null;
                    Tensor dOut = s.in("dOut", DType.F32, b, t, c);
                    Tensor tokens = s.integers("tokens", tokens(name, v), b, t);
                    s.operations().embeddingBackward(dTable, dPositions, dOut, tokens);
                }));
    }

    private static IntUnaryOperator tokens(String name, int v) {
        int[] tokens = new Random(name.hashCode()).ints(1000, 0, v).toArray();
        return i -> tokens[i];
    }

    private interface EmbeddingCase {
        void play(String name, int b, int t, int c, int v);
    }

    private static void forEmbeddings(String op, EmbeddingCase body) {
        for (int b : new int[] {1, 3}) {
            for (int t : new int[] {1, 7, 64}) {
                for (int c : COLUMNS) {
                    for (int v : VOCABULARIES) {
                        body.play(op + " B=" + b + " T=" + t + " C=" + c + " V=" + v, b, t, c, v);
                    }
                }
            }
        }
    }

    // ------------------------------------------------------------------ normalisation

    @Test
    void layerNormForward() {
        for (DType dtype : NUMBERS) {
            for (int rows : ROWS) {
                for (int c : COLUMNS) {
                    String name = "layerNormForward " + dtype + " rows=" + rows + " C=" + c;
                    trials.play(name, s -> {
                        Tensor out = s.out("out", dtype, within(32, 64), rows, c);
                        Tensor mean = s.outVector("mean", within(8, 16), rows);
                        Tensor rstd = s.outVector("rstd", within(64, 0), rows);
                        Tensor in = s.inNormal("in", DType.F32, 0.5, 2, rows, c);
                        Tensor weight = s.vector("weight", 1, 0.5, c);
                        Tensor bias = flag(name, 1) ? s.vector("bias", 0, 1, c) : null;
                        s.operations().layerNormForward(out, mean, rstd, in, weight, bias, 1e-5f);
                    });
                }
            }
        }
    }

    @Test
    void layerNormOfRowsWithALargeMeanKeepsItsDigits() {
        trials.play("layerNormForward mean=100", s -> {
            Tensor out = s.out("out", DType.F32, new Tolerance(1e-4, 1e-4), 64, 130);
            Tensor mean = s.outVector("mean", within(16, 0), 64);
            Tensor rstd = s.outVector("rstd", new Tolerance(1e-5, 0), 64);
            Tensor in = s.inNormal("in", DType.F32, 100, 1, 64, 130);
            Tensor weight = s.vector("weight", 1, 0.5, 130);
            s.operations().layerNormForward(out, mean, rstd, in, weight, null, 1e-5f);
        });
    }

    @Test
    void layerNormOfConstantRowsIsTheBias() {
        trials.play("layerNormForward of constant rows", s -> {
            float[] twos = new float[7 * 48];
            Arrays.fill(twos, 2);
            Tensor out = s.out("out", DType.F32, Tolerance.EXACT, 7, 48);
            Tensor mean = s.outVector("mean", Tolerance.EXACT, 7);
            Tensor rstd = s.outVector("rstd", within(4, 0), 7);
            Tensor in = s.given("in", DType.F32, twos, 7, 48);
            Tensor weight = s.vector("weight", 1, 0.5, 48);
            Tensor bias = s.vector("bias", 0, 1, 48);
            s.operations().layerNormForward(out, mean, rstd, in, weight, bias, 1e-5f);
        });
    }

    @Test
    void layerNormBackward() {
        for (int rows : ROWS) {
            for (int c : COLUMNS) {
                for (boolean accumulate : new boolean[] {false, true}) {
                    String name = "layerNormBackward rows=" + rows + " C=" + c + (accumulate ? " accumulate" : "");
                    trials.play(name, s -> {
                        Tensor y = s.out("y", DType.F32, within(32, 64), rows, c);
                        Tensor mean = s.outVector("mean", within(8, 16), rows);
                        Tensor rstd = s.outVector("rstd", within(64, 0), rows);
                        Tensor in = s.inNormal("in", DType.F32, 0.5, 2, rows, c);
                        Tensor weight = s.vector("weight", 1, 0.5, c);
                        Tensor dIn = s.target(accumulate, "dIn", DType.F32, within(64, 256), rows, c);
                        Tensor dWeight = s.sumVector("dWeight", 0, 1, within(64, 64 + 16 * rows), c);
                        Tensor dBias = flag(name, 1) ? s.sumVector("dBias", 0, 1, sumOf(rows), c) : null;
                        Tensor dOut = s.in("dOut", DType.F32, rows, c);
                        Operations o = s.operations();
                        o.layerNormForward(y, mean, rstd, in, weight, null, 1e-5f);
                        o.layerNormBackward(dIn, dWeight, dBias, dOut, in, weight, mean, rstd, accumulate);
                    });
                }
            }
        }
    }

    // ------------------------------------------------------------------ products

    @Test
    void linearForward() {
        forProducts(
                "linearForward",
                (name, dtype, rows, k, n) -> trials.play(name, s -> {
                    boolean accumulate = flag(name, 1);
                    Tensor out = s.target(accumulate, "out", DType.F32, sumOf(k), rows, n);
                    Tensor in = s.in("in", dtype, rows, k);
                    Tensor weight = s.in("weight", dtype, n, k);
                    Tensor bias = flag(name, 2) ? s.vector("bias", 0, 1, n) : null;
                    s.operations().linearForward(out, in, weight, bias, accumulate);
                }));
    }

    @Test
    void linearBackwardInput() {
        forProducts(
                "linearBackwardInput",
                (name, dtype, rows, k, n) -> trials.play(name, s -> {
                    boolean accumulate = flag(name, 1);
                    Tensor dIn = s.target(accumulate, "dIn", DType.F32, sumOf(n), rows, k);
                    Tensor dOut = s.in("dOut", dtype, rows, n);
                    Tensor weight = s.in("weight", dtype, n, k);
                    s.operations().linearBackwardInput(dIn, dOut, weight, accumulate);
                }));
    }

    @Test
    void linearBackwardWeight() {
        forProducts(
                "linearBackwardWeight",
                (name, dtype, rows, k, n) -> trials.play(name, s -> {
                    boolean accumulate = flag(name, 2);
                    Tensor dWeight = s.target(accumulate, "dWeight", DType.F32, sumOf(rows), n, k);
                    Tensor dBias = !flag(name, 1)
                            ? null
                            : accumulate
                                    ? s.sumVector("dBias", 0, 1, sumOf(rows), n)
                                    : s.outVector("dBias", sumOf(rows), n);
                    Tensor dOut = s.in("dOut", dtype, rows, n);
                    Tensor in = s.in("in", dtype, rows, k);
                    s.operations().linearBackwardWeight(dWeight, dBias, dOut, in, accumulate);
                }));
    }

    private interface ProductCase {
        void play(String name, DType dtype, int rows, int k, int n);
    }

    /** Every pair of sizes in both types, rather than every triple. */
    private static void forProducts(String op, ProductCase body) {
        int[] outputs = IntStream.concat(Arrays.stream(COLUMNS), Arrays.stream(VOCABULARIES))
                .distinct()
                .toArray();
        for (DType dtype : NUMBERS) {
            for (int k = 0; k < COLUMNS.length; k++) {
                for (int n = 0; n < outputs.length; n++) {
                    for (int r = (k + n) % 2; r < ROWS.length; r += 2) {
                        String sizes = " rows=" + ROWS[r] + " K=" + COLUMNS[k] + " N=" + outputs[n];
                        body.play(op + " " + dtype + sizes, dtype, ROWS[r], COLUMNS[k], outputs[n]);
                    }
                }
            }
        }
    }

    // ------------------------------------------------------------------ attention

    @Test
    void attentionForward() {
        forAttentions(
                "attentionForward",
                (name, dtype, b, t, heads, d) -> trials.play(name, s -> {
                    int c = heads * d;
                    double roundings = 64 + 8 * Math.sqrt(d) + 4 * Math.sqrt(t);
                    Tensor out = s.out("out", dtype, within(16, 2 * roundings), b, t, c);
                    Tensor logSumExp = s.outVector("logSumExp", within(8, roundings), b, heads, t);
                    Tensor q = s.in("q", DType.F32, b, t, c);
                    Tensor k = s.in("k", DType.F32, b, t, c);
                    Tensor v = s.in("v", DType.F32, b, t, c);
                    Tensor firstKey = firstKey(s, name, b, t);
                    s.operations().attentionForward(out, logSumExp, q, k, v, firstKey, heads, dropout(name));
                }));
    }

    @Test
    void attentionBackward() {
        forAttentions(
                "attentionBackward",
                (name, dtype, b, t, heads, d) -> trials.play(name, s -> {
                    int c = heads * d;
                    double roundings = 128 + 16 * Math.sqrt(d) + 8 * Math.sqrt(t);
                    // a device may take rowSum(dO∘O) from the rounded output
                    double fromOutput = dtype == DType.BF16 ? Math.scalb(1.0, -6) / EPS : 0;
                    Tensor out = s.out("out", dtype, within(16, roundings), b, t, c);
                    Tensor logSumExp = s.outVector("logSumExp", within(8, roundings), b, heads, t);
                    Tensor dQ = s.out("dQ", dtype, within(64, 4 * roundings + fromOutput), b, t, c);
                    Tensor dK = s.out("dK", dtype, within(64, 4 * roundings + fromOutput), b, t, c);
                    Tensor dV = s.out("dV", dtype, within(64, 4 * roundings), b, t, c);
                    Tensor dOut = s.in("dOut", DType.F32, b, t, c);
                    Tensor q = s.in("q", DType.F32, b, t, c);
                    Tensor k = s.in("k", DType.F32, b, t, c);
                    Tensor v = s.in("v", DType.F32, b, t, c);
                    Tensor firstKey = firstKey(s, name, b, t);
                    Operations o = s.operations();
                    o.attentionForward(out, logSumExp, q, k, v, firstKey, heads, dropout(name));
                    o.attentionBackward(dQ, dK, dV, dOut, out, logSumExp, q, k, v, firstKey, heads, dropout(name));
                }));
    }

    @Test
    void attentionSurvivesLargeScores() {
        for (double size : new double[] {30, 1000}) {
            trials.play("attentionForward of scores around " + size, s -> {
                Tensor out = s.out("out", DType.F32, new Tolerance(0, 1e-5 * size), 2, 33, 40);
                Tensor logSumExp = s.outVector("logSumExp", new Tolerance(1e-5, 1e-3), 2, 2, 33);
                Tensor q = s.inNormal("q", DType.F32, 0, Math.sqrt(size), 2, 33, 40);
                Tensor k = s.inNormal("k", DType.F32, 0, Math.sqrt(size), 2, 33, 40);
                Tensor v = s.in("v", DType.F32, 2, 33, 40);
                s.operations().attentionForward(out, logSumExp, q, k, v, null, 2, Dropout.NONE);
            });
        }
    }

    @Test
    void attentionCached() {
        for (DType dtype : NUMBERS) {
            for (int d : HEAD_WIDTHS) {
                for (int room : new int[] {1, 2, 17, 33, 64, 130}) {
                    for (int t : new int[] {1, 2, 9, 64}) {
                        for (String past : t > room ? new String[0] : new String[] {"none", "some", "full"}) {
                            attentionCached(dtype, d, room, t, past);
                        }
                    }
                }
            }
        }
    }

    private void attentionCached(DType dtype, int d, int room, int t, String past) {
        String name = "attentionCached " + dtype + " D=" + d + " maxT=" + room + " T=" + t + " past=" + past;
        int b = flag(name, 1) ? 1 : 2;
        int heads = flag(name, 2) ? 1 : 3;
        IntUnaryOperator before =
                switch (past) {
                    case "none" -> i -> 0;
                    case "full" -> i -> room - t;
                    default -> i -> new Random(name.hashCode() + i).nextInt(room - t + 1);
                };
        trials.play(name, s -> {
            double roundings = 64 + 8 * Math.sqrt(d) + 4 * Math.sqrt(room);
            Tensor out = s.out("out", dtype, within(16, 2 * roundings), b, t, heads * d);
            Tensor keys = s.sum("keys", DType.F32, Tolerance.EXACT, b, heads, room, d);
            Tensor values = s.sum("values", DType.F32, Tolerance.EXACT, b, heads, room, d);
            Tensor q = s.in("q", DType.F32, b, t, heads * d);
            Tensor k = s.in("k", DType.F32, b, t, heads * d);
            Tensor v = s.in("v", DType.F32, b, t, heads * d);
            Tensor old = s.integers("past", before, b);
            Tensor firstKey =
                    flag(name, 3) ? null : s.integers("firstKey", i -> before.applyAsInt(i / t) / 2 + i % t / 3, b, t);
            s.operations().attentionCached(out, keys, values, q, k, v, old, firstKey, heads);
        });
    }

    /** What lies behind a sequence's positions in the cache is another sequence's, or an earlier one's: it must not count. */
    @Test
    void attentionCachedSeesNothingBehindTheNewPositions() {
        trials.play("attentionCached of a cache full of NaN", s -> {
            float[] nans = new float[2 * 3 * 40 * 20];
            Arrays.fill(nans, Float.NaN);
            Tensor out = s.out("out", DType.F32, within(16, 512), 2, 7, 60);
            Tensor keys = s.given("keys", DType.F32, nans, Tolerance.EXACT, 2, 3, 40, 20);
            Tensor values = s.given("values", DType.F32, nans, Tolerance.EXACT, 2, 3, 40, 20);
            Tensor q = s.in("q", DType.F32, 2, 7, 60);
            Tensor k = s.in("k", DType.F32, 2, 7, 60);
            Tensor v = s.in("v", DType.F32, 2, 7, 60);
            Tensor past = s.integers("past", i -> 0, 2);
            Tensor later = s.integers("later", i -> 7, 2);
            Tensor again = s.out("again", DType.F32, within(16, 512), 2, 7, 60);
            s.operations().attentionCached(out, keys, values, q, k, v, past, null, 3);
            s.operations().attentionCached(again, keys, values, q, k, v, later, null, 3);
        });
    }

    private interface AttentionCase {
        void play(String name, DType dtype, int b, int t, int heads, int d);
    }

    private static void forAttentions(String op, AttentionCase body) {
        for (DType dtype : NUMBERS) {
            for (int d : HEAD_WIDTHS) {
                for (int t : LENGTHS) {
                    int heads = t > 100 ? 2 : 3;
                    int b = t > 100 ? 1 : 2;
                    for (String mask : new String[] {"causal", "documents", "window", "blocks"}) {
                        if ((t <= 65 && dtype == DType.F32) || mask.equals("causal") || flag(d + mask + t, 1)) {
                            String name =
                                    op + " " + dtype + " B=" + b + " T=" + t + " H=" + heads + " D=" + d + " " + mask;
                            body.play(name + (flag(name, 3) ? " dropout" : ""), dtype, b, t, heads, d);
                        }
                    }
                }
            }
        }
    }

    private static Tensor firstKey(Stage s, String name, int b, int t) {
        int[] first = new int[b * t];
        Random random = new Random(name.hashCode());
        for (int i = 0; i < first.length; i++) {
            int at = i % t;
            if (name.contains("documents")) {
                first[i] = at == 0 ? 0 : random.nextInt(9) == 0 ? at : first[i - 1];
            } else if (name.contains("window")) {
                first[i] = Math.max(0, at - 12);
            } else if (name.contains("blocks")) {
                first[i] = Math.max(0, at / 16 - 1) * 16;
            } else {
                return null;
            }
        }
        return s.integers("firstKey", i -> first[i], b, t);
    }

    private static Dropout dropout(String name) {
        return name.contains("dropout") ? new Dropout(0.2f, Dropout.key(7, 3, 5), 1L << 33) : Dropout.NONE;
    }
}
