package pacer.trainer.ops.cpu;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Rotary positions. */
interface CpuPositions extends CpuWork {
    @Override
    default void rotaryForward(Tensor out, Tensor in, Tensor cosines, Tensor sines, Tensor past, int heads) {
        Shapes.rotaryForward(out, in, cosines, sines, past, heads);
        if (past != null) {
            CpuWork.requireRoom(past, in.dim(1), cosines.rows());
        }
        rotate(out, in, cosines, sines, past, heads, 1f);
    }

    @Override
    default void rotaryBackward(Tensor dIn, Tensor dOut, Tensor cosines, Tensor sines, int heads) {
        Shapes.rotaryBackward(dIn, dOut, cosines, sines, heads);
        rotate(dIn, dOut, cosines, sines, null, heads, -1f);
    }

    private void rotate(Tensor out, Tensor in, Tensor cosines, Tensor sines, Tensor past, int heads, float direction) {
        int length = in.dim(1);
        int width = in.columns() / heads;
        crew().forEachRange(in.rows(), 1, (member, from, to) -> {
            for (long i = from; i < to; i++) {
                long position = i % length + (past == null ? 0 : CpuWork.integer(past, i / length));
                long cos = cosines.rowAddress(position);
                long sin = sines.rowAddress(position);
                for (int h = 0; h < heads; h++) {
                    ElementKernels.rotate(
                            CpuWork.at(in, i, h * width),
                            CpuWork.at(out, i, h * width),
                            cos,
                            sin,
                            width / 2,
                            direction);
                }
            }
        });
    }
}
