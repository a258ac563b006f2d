package pacer.trainer.ops;

import org.junit.jupiter.api.Test;
import pacer.trainer.ops.Stage.Tolerance;

/** The part of the suite on what the speedrun's models add to GPT-2's: RMSNorm and rotary positions. */
public abstract class SpeedrunConformance extends LayerConformance {
    private static final int[] HEAD_WIDTHS = {2, 4, 12, 16, 20, 32, 64, 130};
    private static final int[] HEADS = {1, 3};
    private static final int[] LENGTHS = {1, 2, 7, 33, 64};

    @Test
    void rmsNormForward() {
        for (DType dtype : NUMBERS) {
            for (int rows : ROWS) {
                for (int width : COLUMNS) {
                    for (int heads : HEADS) {
                        String name = "rmsNormForward " + dtype + " rows=" + rows + " D=" + width + " H=" + heads;
                        trials.play(name, s -> {
                            int c = heads * width;
                            Tensor out = s.out("out", dtype, within(32, 0), rows, c);
                            Tensor rstd = s.outVector("rstd", within(32, 0), rows, heads);
                            Tensor in = s.inNormal("in", DType.F32, 0.5, 2, rows, c);
                            Tensor both = s.sum("both", DType.F32, within(32, 0), rows, c);
                            s.operations().rmsNormForward(out, rstd, in, heads, 0x1p-23f);
                            s.operations().rmsNormForward(both, rstd, both, heads, 0x1p-23f); // in place
                        });
                    }
                }
            }
        }
    }

    @Test
    void rmsNormOfZerosIsZero() {
        trials.play("rmsNormForward of zeros", s -> {
            Tensor out = s.out("out", DType.F32, Tolerance.EXACT, 7, 48);
            Tensor rstd = s.outVector("rstd", within(8, 0), 7, 3);
            Tensor in = s.given("in", DType.F32, new float[7 * 48], 7, 48);
            s.operations().rmsNormForward(out, rstd, in, 3, 0x1p-23f);
        });
    }

    @Test
    void rmsNormBackward() {
        for (boolean accumulate : new boolean[] {false, true}) {
            for (int rows : ROWS) {
                for (int width : COLUMNS) {
                    for (int heads : HEADS) {
                        String name = "rmsNormBackward rows=" + rows + " D=" + width + " H=" + heads
                                + (accumulate ? " accumulate" : "");
                        trials.play(name, s -> {
                            int c = heads * width;
                            Tensor out = s.out("out", DType.F32, within(32, 0), rows, c);
                            Tensor rstd = s.outVector("rstd", within(32, 0), rows, heads);
                            // a row of one element has an rstd as large as that element is small, and cancels to
                            // nothing
                            Tensor in = width == 1
                                    ? s.inNormal("in", DType.F32, 4, 0.5, rows, c)
                                    : s.inNormal("in", DType.F32, 0.5, 2, rows, c);
                            Tensor dIn = s.target(accumulate, "dIn", DType.F32, within(64, 256), rows, c);
                            Tensor dOut = s.in("dOut", DType.F32, rows, c);
                            Tensor both = s.sum("both", DType.F32, within(64, 256), rows, c);
                            Operations o = s.operations();
                            o.rmsNormForward(out, rstd, in, heads, 0x1p-23f);
                            o.rmsNormBackward(dIn, dOut, in, rstd, heads, accumulate);
                            o.rmsNormBackward(both, both, in, rstd, heads, false); // in place
                        });
                    }
                }
            }
        }
    }

    @Test
    void rotary() {
        for (int width : HEAD_WIDTHS) {
            for (int heads : HEADS) {
                for (int t : LENGTHS) {
                    for (String pass : new String[] {"rotaryForward", "rotaryBackward"}) {
                        String name = pass + " B=2 T=" + t + " H=" + heads + " D=" + width;
                        trials.play(name, s -> {
                            int c = heads * width;
                            int positions = t + (flag(name, 1) ? 5 : 0);
                            Tolerance tolerance = within(4, 16);
                            boolean inPlace = flag(name, 2);
                            Tensor out = inPlace
                                    ? s.sum("out", DType.F32, tolerance, 2, t, c)
                                    : s.out("out", DType.F32, tolerance, 2, t, c);
                            Tensor in = inPlace ? out : s.in("in", DType.F32, 2, t, c);
                            RotaryTables tables = width % 4 == 0
                                    ? RotaryTables.halfTruncated(width, positions, 1024)
                                    : RotaryTables.full(width, positions, 10000);
                            Tensor cos = s.given("cosines", DType.F32, tables.cosines(), positions, width / 2);
                            Tensor sin = s.given("sines", DType.F32, tables.sines(), positions, width / 2);
                            if (pass.equals("rotaryForward")) {
                                Tensor past = flag(name, 3) ? s.integers("past", i -> i * (positions - t), 2) : null;
                                s.operations().rotaryForward(out, in, cos, sin, past, heads);
                            } else {
                                s.operations().rotaryBackward(out, in, cos, sin, heads);
                            }
                        });
                    }
                }
            }
        }
    }

    @Test
    void mixes() {
        for (boolean both : new boolean[] {true, false}) {
            for (int rows : ROWS) {
                for (int columns : COLUMNS) {
                    String name = "mix rows=" + rows + " C=" + columns + (both ? "" : " one alone");
                    trials.play(name, s -> {
                        boolean inPlace = flag(name, 1);
                        boolean accumulate = flag(name, 2);
                        int numbers = flag(name, 3) ? 1 : 2;
                        Tensor weights = s.vector("weights", 0.5, 0.2, numbers);
                        Tensor b = both ? s.in("b", DType.F32, rows, columns) : null;
                        Tensor a = s.in("a", DType.F32, rows, columns);
                        Tensor out = s.out("out", DType.F32, within(8, 16), rows, columns);
                        Tensor dOut = inPlace
                                ? s.sum("dOut", DType.F32, within(8, 16), rows, columns)
                                : s.in("dOut", DType.F32, rows, columns);
                        Tensor dA = inPlace ? dOut : s.out("dA", DType.F32, within(8, 16), rows, columns);
                        Tensor dB = both ? s.target(accumulate, "dB", DType.F32, within(8, 16), rows, columns) : null;
                        Tensor dWeights = s.sumVector("dWeights", 0, 1, within(64, 64 + 8 * rows * columns), numbers);
                        Operations o = s.operations();
                        o.mixForward(out, a, b, weights);
                        o.mixBackward(dA, dB, dWeights, dOut, a, b, weights, accumulate);
                    });
                }
            }
        }
    }

    @Test
    void skips() {
        for (int rows : ROWS) {
            for (int columns : COLUMNS) {
                String name = "skip rows=" + rows + " C=" + columns;
                trials.play(name, s -> {
                    boolean inPlace = flag(name, 1);
                    boolean accumulate = flag(name, 2);
                    Tensor weight = s.vector("weight", 0.5, 0.2, 1);
                    Tensor skip = s.in("skip", DType.F32, rows, columns);
                    Tensor out = inPlace
                            ? s.sum("out", DType.F32, within(8, 16), rows, columns)
                            : s.out("out", DType.F32, within(8, 16), rows, columns);
                    Tensor in = inPlace ? out : s.in("in", DType.F32, rows, columns);
                    Tensor dOut = s.in("dOut", DType.F32, rows, columns);
                    Tensor dSkip = s.target(accumulate, "dSkip", DType.F32, within(8, 16), rows, columns);
                    Tensor dWeight = s.sumVector("dWeight", 0, 1, within(64, 64 + 4 * rows * columns), 1);
                    Operations o = s.operations();
                    o.skipForward(out, in, skip, weight);
                    o.skipBackward(dSkip, dWeight, dOut, skip, weight, accumulate);
                });
            }
        }
    }
}
