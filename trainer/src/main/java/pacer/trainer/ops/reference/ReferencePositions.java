package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Rotary positions. */
interface ReferencePositions extends ReferenceWork {
    @Override
    default void rotaryForward(Tensor out, Tensor in, Tensor cosines, Tensor sines, Tensor past, int heads) {
        Shapes.rotaryForward(out, in, cosines, sines, past, heads);
        int[] before =
                past == null ? new int[in.dim(0)] : past(past, in.dim(0), in.dim(1), cosines.dim(0), "rotaryForward");
        rotate(out, in, cosines, sines, before, heads, 1);
    }

    @Override
    default void rotaryBackward(Tensor dIn, Tensor dOut, Tensor cosines, Tensor sines, int heads) {
        Shapes.rotaryBackward(dIn, dOut, cosines, sines, heads);
        rotate(dIn, dOut, cosines, sines, new int[dIn.dim(0)], heads, -1);
    }

    private void rotate(Tensor out, Tensor in, Tensor cosines, Tensor sines, int[] before, int heads, int direction) {
        double[][] x = device().load(in); // (B*T, C)
        double[][] cos = device().load(cosines); // (maxT, D/2)
        double[][] sin = device().load(sines);
        int half = cosines.columns(); // D/2
        for (int r = 0; r < x.length; r++) {
            int t = before[r / in.dim(1)] + r % in.dim(1);
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
        device().store(out, x);
    }
}
