package pacer.trainer.ops;

import org.junit.jupiter.api.Test;
import pacer.trainer.ops.Stage.Tolerance;

/** The part of the suite on update rules other than AdamW. */
public abstract class RuleConformance extends SpeedrunConformance {
    private static final float RATE = 1e-2f;
    private static final int[][] MATRICES = {{1, 1}, {1, 33}, {7, 1}, {3, 5}, {65, 16}, {130, 47}, {200, 301}};
    private static final int[] SIZES = {1, 2, 15, 16, 17, 1000, 4096, 4097, 9001};

    /** Of a weight: an update is as large as the rate, and takes some roundings. */
    private static final Tolerance WEIGHT = new Tolerance(8 * EPS, RATE * 2048 * EPS);

    @Test
    void stripedAdamW() {
        for (int[] shape : MATRICES) {
            for (long step : new long[] {1, 10, 100_000}) {
                String name = "stripedAdamW " + shape[0] + " x " + shape[1] + " step=" + step;
                trials.play(name, s -> {
                    int rows = shape[0];
                    int columns = shape[1];
                    Tensor weights = s.sumVector("weights", 0, 1, WEIGHT, rows, columns);
                    Tensor gradients = s.vector("gradients", 0, 1, rows, columns);
                    Tensor first = s.sumVector("firstMoment", 0, 1, within(8, 16), rows, columns);
                    Tensor row = s.sumVector("rowMoment", 6, 1, within(64, 0), rows);
                    Tensor column = s.sumVector("columnMoment", 6, 1, within(64, 0), columns);
                    Operations.AdamW settings = new Operations.AdamW(0.9f, flag(name, 1) ? 0.95f : 0.999f, 1e-8f);
                    float decay = flag(name, 2) ? 0.1f : 0;
                    for (int i = 0; i < 2; i++) {
                        s.operations()
                                .stripedAdamW(
                                        weights, gradients, first, row, column, settings, RATE, decay, 0.37f, step + i);
                    }
                });
            }
        }
    }

    @Test
    void adafactor() {
        for (int[] shape : MATRICES) {
            for (long step : new long[] {1, 10, 100_000}) {
                for (float clip : new float[] {0.1f, 1, 1000}) {
                    String name = "adafactor " + shape[0] + " x " + shape[1] + " step=" + step + " clip=" + clip;
                    trials.play(name, s -> {
                        int rows = shape[0];
                        int columns = shape[1];
                        Tensor weights = s.sumVector("weights", 0, 1, WEIGHT, rows, columns);
                        Tensor gradients = s.vector("gradients", 0, 1, rows, columns);
                        Tensor row = s.sumVector("rowMoment", 6, 1, within(64, 0), rows);
                        Tensor column = s.sumVector("columnMoment", 6, 1, within(64, 0), columns);
                        Operations.Adafactor settings = new Operations.Adafactor(-0.8, 1e-30f, clip);
                        float decay = flag(name, 2) ? 0.1f : 0;
                        s.operations().adafactor(weights, gradients, row, column, settings, RATE, decay, 0.37f, step);
                    });
                }
            }
        }
    }

    @Test
    void adafactorVector() {
        for (int n : SIZES) {
            for (long step : new long[] {1, 10, 100_000}) {
                for (float clip : new float[] {0.1f, 1, 1000}) {
                    String name = "adafactorVector n=" + n + " step=" + step + " clip=" + clip;
                    trials.play(name, s -> {
                        Tensor weights = s.sumVector("weights", 0, 1, WEIGHT, n);
                        Tensor gradients = s.vector("gradients", 0, 1, n);
                        Tensor second = s.sumVector("secondMoment", 6, 1, within(64, 0), n);
                        Operations.Adafactor settings = new Operations.Adafactor(-0.8, 1e-30f, clip);
                        float decay = flag(name, 2) ? 0.1f : 0;
                        s.operations().adafactorVector(weights, gradients, second, settings, RATE, decay, 0.37f, step);
                    });
                }
            }
        }
    }

    @Test
    void nesterov() {
        for (int n : SIZES) {
            String name = "nesterov n=" + n;
            trials.play(name, s -> {
                Tensor momentum = s.sumVector("momentum", 0, 1, within(8, 16), n);
                Tensor gradients = s.vector("gradients", 0, 1, n);
                Tensor out = s.outVector("out", within(16, 32), n);
                for (int i = 0; i < 2; i++) {
                    s.operations().nesterov(out, momentum, gradients, 0.95f, flag(name, 1) ? 1 : 0.37f);
                }
            });
        }
    }

    @Test
    void normalize() {
        for (DType dtype : NUMBERS) {
            for (int n : SIZES) {
                String name = "normalize " + dtype + " n=" + n;
                trials.play(name, s -> {
                    Tensor in = s.vector("in", 0.1, 1, n);
                    Tensor out = s.outVector("out", dtype, within(32, 0), n);
                    s.operations().normalize(out, in, 1e-7f);
                });
            }
        }
        trials.play("normalize zeros in place", s -> {
            Tensor zeros = s.sumVector("zeros", 0, 0, Tolerance.EXACT, 33);
            s.operations().normalize(zeros, zeros, 1e-7f);
        });
    }

    @Test
    void combine() {
        for (DType dtype : NUMBERS) {
            for (int n : SIZES) {
                String name = "combine " + dtype + " n=" + n;
                trials.play(name, s -> {
                    Tensor a = s.vector("a", 0, 1, n);
                    Tensor b = s.vector("b", 0, 1, n);
                    Tensor out = s.outVector("out", dtype, within(8, 16), n);
                    s.operations().combine(out, 3.4445f, a, flag(name, 1) ? -4.775f : 0, b);
                });
            }
        }
        trials.play("combine in place", s -> {
            Tensor a = s.sumVector("a", 0, 1, within(8, 16), 1000);
            Tensor b = s.vector("b", 0, 1, 1000);
            s.operations().combine(a, 2, a, -1, b);
        });
    }
}
