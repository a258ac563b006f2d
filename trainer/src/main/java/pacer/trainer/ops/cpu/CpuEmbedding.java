package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.getInt;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Tokens and their positions to vectors. */
interface CpuEmbedding extends CpuWork {
    @Override
    default void embeddingForward(
            Tensor out, Tensor tokens, Tensor tokenEmbedding, Tensor positionEmbedding, Tensor past) {
        Shapes.embeddingForward(out, tokens, tokenEmbedding, positionEmbedding, past);
        int width = out.columns();
        int length = tokens.columns();
        if (past != null && positionEmbedding != null) {
            CpuWork.requireRoom(past, length, positionEmbedding.rows());
        }
        crew().forEachRange(tokens.size(), 1, (member, from, to) -> {
            for (long i = from; i < to; i++) {
                long token = tokenEmbedding.rowAddress(token(tokens, i, tokenEmbedding.dim(0)));
                if (positionEmbedding == null) {
                    Vectors.copy(token, out.rowAddress(i), 4L * width);
                } else {
                    long position = i % length + (past == null ? 0 : CpuWork.integer(past, i / length));
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

    @Override
    default void embeddingBackward(Tensor dTokenEmbedding, Tensor dPositionEmbedding, Tensor dOut, Tensor tokens) {
        Shapes.embeddingBackward(dTokenEmbedding, dPositionEmbedding, dOut, tokens);
        int length = tokens.columns();
        // members take columns: two rows may be of the same token
        crew().forEachRange(dOut.columns(), 16, (member, from, to) -> {
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
}
