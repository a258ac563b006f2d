package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Tokens and their positions to vectors. */
interface ReferenceEmbedding extends ReferenceWork {
    @Override
    default void embeddingForward(
            Tensor out, Tensor tokens, Tensor tokenEmbedding, Tensor positionEmbedding, Tensor past) {
        Shapes.embeddingForward(out, tokens, tokenEmbedding, positionEmbedding, past);
        int[] token = numbers(tokens, 0, tokenEmbedding.rows(), "embeddingForward: token");
        double[][] table = device().load(tokenEmbedding); // (V, C)
        double[][] x = new double[out.rows()][]; // (B*T, C)
        for (int r = 0; r < x.length; r++) {
            x[r] = table[token[r]].clone();
        }
        if (positionEmbedding != null) {
            double[][] position = device().load(positionEmbedding); // (maxT, C)
            int[] before = past(past, tokens.dim(0), tokens.columns(), position.length, "embeddingForward");
            for (int r = 0; r < x.length; r++) {
                ReferenceWork.addScaled(x[r], 1, position[before[r / tokens.columns()] + r % tokens.columns()]);
            }
        }
        device().store(out, x);
    }

    @Override
    default void embeddingBackward(Tensor dTokenEmbedding, Tensor dPositionEmbedding, Tensor dOut, Tensor tokens) {
        Shapes.embeddingBackward(dTokenEmbedding, dPositionEmbedding, dOut, tokens);
        int[] token = numbers(tokens, 0, dTokenEmbedding.rows(), "embeddingBackward: token");
        double[][] dy = device().load(dOut); // (B*T, C)
        double[][] dTable = device().load(dTokenEmbedding); // (V, C)
        for (int r = 0; r < dy.length; r++) {
            ReferenceWork.addScaled(dTable[token[r]], 1, dy[r]);
        }
        device().store(dTokenEmbedding, dTable);
        if (dPositionEmbedding != null) {
            double[][] dPosition = device().load(dPositionEmbedding); // (maxT, C)
            for (int r = 0; r < dy.length; r++) {
                ReferenceWork.addScaled(dPosition[r % tokens.columns()], 1, dy[r]);
            }
            device().store(dPositionEmbedding, dPosition);
        }
    }
}
