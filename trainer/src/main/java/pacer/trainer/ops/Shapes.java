package pacer.trainer.ops;

/**
 * What each operation demands of its tensors: one check an operation, named and ordered as in {@link Operations}, for every
 * device to call first. A check costs a few comparisons and allocates nothing unless it fails; then it throws
 * {@link IllegalArgumentException} naming operation, tensors and rule. Contents (token numbers, targets, first keys) are
 * not looked at.
 */
public final class Shapes {

    private Shapes() {}

    public static void embeddingForward(
            Tensor out, Tensor tokens, Tensor tokenEmbedding, Tensor positionEmbedding, Tensor past) {
        embedding("embeddingForward", "out", out, tokens, tokenEmbedding, positionEmbedding);
        if (past != null) {
            oneASequence("embeddingForward", past, "tokens", tokens);
        }
    }

    public static void embeddingBackward(
            Tensor dTokenEmbedding, Tensor dPositionEmbedding, Tensor dOut, Tensor tokens) {
        embedding("embeddingBackward", "dOut", dOut, tokens, dTokenEmbedding, dPositionEmbedding);
    }

    private static void embedding(
            String op, String role, Tensor rows, Tensor tokens, Tensor tokenTable, Tensor positionTable) {
        f32(op, role, rows);
        i32(op, "tokens", tokens);
        oneARow(op, "tokens", tokens, role, rows);
        f32(op, "token embedding", tokenTable);
        sameColumns(op, "token embedding", tokenTable, role, rows);
        if (positionTable != null) {
            f32(op, "position embedding", positionTable);
            sameColumns(op, "position embedding", positionTable, role, rows);
            if (positionTable.rows() < tokens.columns()) {
                throw mismatch(
                        op,
                        "position embedding",
                        positionTable,
                        "tokens",
                        tokens,
                        "there must be a row for each position");
            }
        }
    }

    public static void layerNormForward(Tensor out, Tensor mean, Tensor rstd, Tensor in, Tensor weight, Tensor bias) {
        String op = "layerNormForward";
        number(op, "out", out);
        f32(op, "in", in);
        sameRowsAndColumns(op, "out", out, "in", in);
        statistic(op, "mean", mean, "in", in);
        statistic(op, "rstd", rstd, "in", in);
        vector(op, "weight", weight, "in", in);
        optionalVector(op, "bias", bias, "in", in);
    }

    public static void layerNormBackward(
            Tensor dIn, Tensor dWeight, Tensor dBias, Tensor dOut, Tensor in, Tensor weight, Tensor mean, Tensor rstd) {
        String op = "layerNormBackward";
        f32(op, "in", in);
        f32(op, "dIn", dIn);
        sameRowsAndColumns(op, "dIn", dIn, "in", in);
        f32(op, "dOut", dOut);
        sameRowsAndColumns(op, "dOut", dOut, "in", in);
        vector(op, "dWeight", dWeight, "in", in);
        optionalVector(op, "dBias", dBias, "in", in);
        vector(op, "weight", weight, "in", in);
        statistic(op, "mean", mean, "in", in);
        statistic(op, "rstd", rstd, "in", in);
    }

    public static void rmsNormForward(Tensor out, Tensor rstd, Tensor in, int heads) {
        String op = "rmsNormForward";
        number(op, "out", out);
        f32(op, "in", in);
        sameRowsAndColumns(op, "out", out, "in", in);
        heads(op, "in", in, heads);
        oneAHead(op, "rstd", rstd, "in", in, heads);
    }

    public static void rmsNormBackward(Tensor dIn, Tensor dOut, Tensor in, Tensor rstd, int heads) {
        String op = "rmsNormBackward";
        f32(op, "in", in);
        f32(op, "dIn", dIn);
        sameRowsAndColumns(op, "dIn", dIn, "in", in);
        f32(op, "dOut", dOut);
        sameRowsAndColumns(op, "dOut", dOut, "in", in);
        heads(op, "in", in, heads);
        oneAHead(op, "rstd", rstd, "in", in, heads);
    }

    public static void rotaryForward(Tensor out, Tensor in, Tensor cosines, Tensor sines, Tensor past, int heads) {
        rotary("rotaryForward", "out", out, "in", in, cosines, sines, heads);
        if (past != null) {
            oneASequence("rotaryForward", past, "in", in);
        }
    }

    public static void rotaryBackward(Tensor dIn, Tensor dOut, Tensor cosines, Tensor sines, int heads) {
        rotary("rotaryBackward", "dIn", dIn, "dOut", dOut, cosines, sines, heads);
    }

    private static void rotary(
            String op,
            String toRole,
            Tensor to,
            String fromRole,
            Tensor from,
            Tensor cosines,
            Tensor sines,
            int heads) {
        f32(op, fromRole, from);
        sequences(op, fromRole, from);
        f32(op, toRole, to);
        sameShape(op, toRole, to, fromRole, from);
        heads(op, fromRole, from, heads);
        f32(op, "cosines", cosines);
        if (cosines.columns() * 2L * heads != from.columns() || cosines.rows() < from.dim(1)) {
            throw mismatch(
                    op,
                    "cosines",
                    cosines,
                    fromRole,
                    from,
                    "with " + heads
                            + " heads there must be a row for each position and a column for each pair of a head");
        }
        f32(op, "sines", sines);
        sameRowsAndColumns(op, "sines", sines, "cosines", cosines);
    }

    public static void linearForward(Tensor out, Tensor in, Tensor weight, Tensor bias) {
        String op = "linearForward";
        f32(op, "out", out);
        number(op, "in", in);
        sameDType(op, "weight", weight, "in", in);
        sameColumns(op, "weight", weight, "in", in);
        sameRows(op, "out", out, "in", in);
        columnsAreRows(op, "out", out, "weight", weight);
        optionalVector(op, "bias", bias, "out", out);
    }

    public static void linearBackwardInput(Tensor dIn, Tensor dOut, Tensor weight) {
        String op = "linearBackwardInput";
        f32(op, "dIn", dIn);
        number(op, "dOut", dOut);
        sameDType(op, "weight", weight, "dOut", dOut);
        sameColumns(op, "weight", weight, "dIn", dIn);
        sameRows(op, "dOut", dOut, "dIn", dIn);
        columnsAreRows(op, "dOut", dOut, "weight", weight);
    }

    public static void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dOut, Tensor in) {
        String op = "linearBackwardWeight";
        f32(op, "dWeight", dWeight);
        number(op, "dOut", dOut);
        sameDType(op, "in", in, "dOut", dOut);
        sameColumns(op, "dWeight", dWeight, "in", in);
        sameRows(op, "dOut", dOut, "in", in);
        columnsAreRows(op, "dOut", dOut, "dWeight", dWeight);
        optionalVector(op, "dBias", dBias, "dOut", dOut);
    }

    public static void attentionForward(
            Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Tensor firstKey, int heads) {
        String op = "attentionForward";
        attention(op, out, logSumExp, q, k, v, firstKey, heads);
    }

    public static void attentionBackward(
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
            int heads) {
        String op = "attentionBackward";
        attention(op, out, logSumExp, q, k, v, firstKey, heads);
        f32(op, "dOut", dOut);
        sameShape(op, "dOut", dOut, "q", q);
        number(op, "dQ", dQ);
        sameShape(op, "dQ", dQ, "q", q);
        sameDType(op, "dK", dK, "dQ", dQ);
        sameShape(op, "dK", dK, "q", q);
        sameDType(op, "dV", dV, "dQ", dQ);
        sameShape(op, "dV", dV, "q", q);
    }

    private static void attention(
            String op, Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Tensor firstKey, int heads) {
        f32(op, "q", q);
        sequences(op, "q", q);
        heads(op, "q", q, heads);
        f32(op, "k", k);
        sameShape(op, "k", k, "q", q);
        f32(op, "v", v);
        sameShape(op, "v", v, "q", q);
        number(op, "out", out);
        sameShape(op, "out", out, "q", q);
        f32(op, "logSumExp", logSumExp);
        if (logSumExp.rank() != 3
                || logSumExp.dim(0) != q.dim(0)
                || logSumExp.dim(1) != heads
                || logSumExp.dim(2) != q.dim(1)
                || !logSumExp.isContiguous()) {
            throw mismatch(op, "logSumExp", logSumExp, "q", q, "it must be a contiguous (B, " + heads + ", T)");
        }
        if (firstKey != null) {
            i32(op, "firstKey", firstKey);
            oneARow(op, "firstKey", firstKey, "q", q);
        }
    }

    public static void attentionCached(
            Tensor out,
            Tensor keys,
            Tensor values,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor past,
            Tensor firstKey,
            int heads) {
        String op = "attentionCached";
        f32(op, "q", q);
        sequences(op, "q", q);
        heads(op, "q", q, heads);
        f32(op, "k", k);
        sameShape(op, "k", k, "q", q);
        f32(op, "v", v);
        sameShape(op, "v", v, "q", q);
        number(op, "out", out);
        sameShape(op, "out", out, "q", q);
        f32(op, "keys", keys);
        if (keys.rank() != 4
                || keys.dim(0) != q.dim(0)
                || keys.dim(1) != heads
                || keys.dim(2) < q.dim(1)
                || keys.dim(3) != q.columns() / heads) {
            String rule =
                    "it must be (B, " + heads + ", maxT, " + q.columns() / heads + ") with room for the new positions";
            throw mismatch(op, "keys", keys, "q", q, rule);
        }
        f32(op, "values", values);
        sameShape(op, "values", values, "keys", keys);
        oneASequence(op, past, "q", q);
        if (firstKey != null) {
            i32(op, "firstKey", firstKey);
            oneARow(op, "firstKey", firstKey, "q", q);
        }
    }

    public static void activationForward(Tensor out, Tensor in) {
        String op = "activationForward";
        number(op, "out", out);
        f32(op, "in", in);
        sameRowsAndColumns(op, "out", out, "in", in);
    }

    public static void activationBackward(Tensor dIn, Tensor dOut, Tensor in) {
        String op = "activationBackward";
        number(op, "dIn", dIn);
        f32(op, "dOut", dOut);
        f32(op, "in", in);
        sameRowsAndColumns(op, "dIn", dIn, "in", in);
        sameRowsAndColumns(op, "dOut", dOut, "in", in);
    }

    public static void dropout(Tensor out, Tensor in) {
        String op = "dropout";
        f32(op, "out", out);
        f32(op, "in", in);
        sameRowsAndColumns(op, "out", out, "in", in);
    }

    public static void add(Tensor out, Tensor a, Tensor b) {
        String op = "add";
        f32(op, "out", out);
        f32(op, "a", a);
        f32(op, "b", b);
        sameRowsAndColumns(op, "a", a, "out", out);
        sameRowsAndColumns(op, "b", b, "out", out);
    }

    /** Checks {@link Operations#mixForward}. */
    public static void mixForward(Tensor out, Tensor a, Tensor b, Tensor weights) {
        String op = "mixForward";
        rows(op, "a", a, "out", out);
        if (b != null) {
            rows(op, "b", b, "out", out);
        }
        mix(op, "weights", weights);
    }

    /** Checks {@link Operations#mixBackward}. */
    public static void mixBackward(
            Tensor dA, Tensor dB, Tensor dWeights, Tensor dOut, Tensor a, Tensor b, Tensor weights) {
        String op = "mixBackward";
        rows(op, "dA", dA, "dOut", dOut);
        rows(op, "a", a, "dOut", dOut);
        if ((b == null) != (dB == null)) {
            throw new IllegalArgumentException(op + ": b and dB must both be there, or neither");
        }
        if (b != null) {
            rows(op, "dB", dB, "dOut", dOut);
            rows(op, "b", b, "dOut", dOut);
        }
        mix(op, "weights", weights);
        numbers(op, "dWeights", dWeights, weights.columns());
    }

    private static void mix(String op, String role, Tensor t) {
        numbers(op, role, t, t.size() == 1 ? 1 : 2);
    }

    /** Checks {@link Operations#skipForward}. */
    public static void skipForward(Tensor out, Tensor in, Tensor skip, Tensor weight) {
        String op = "skipForward";
        rows(op, "in", in, "out", out);
        rows(op, "skip", skip, "out", out);
        numbers(op, "weight", weight, 1);
    }

    /** Checks {@link Operations#skipBackward}. */
    public static void skipBackward(Tensor dSkip, Tensor dWeight, Tensor dOut, Tensor skip, Tensor weight) {
        String op = "skipBackward";
        rows(op, "dSkip", dSkip, "dOut", dOut);
        rows(op, "skip", skip, "dOut", dOut);
        numbers(op, "dWeight", dWeight, 1);
        numbers(op, "weight", weight, 1);
    }

    /** Floats in rows like another's. */
    private static void rows(String op, String role, Tensor t, String otherRole, Tensor other) {
        f32(op, role, t);
        f32(op, otherRole, other);
        sameRowsAndColumns(op, role, t, otherRole, other);
    }

    /** So many learned numbers. */
    private static void numbers(String op, String role, Tensor t, int count) {
        f32(op, role, t);
        contiguous(op, role, t);
        if (t.size() != count) {
            throw new IllegalArgumentException(
                    op + ": " + role + " " + t + " must have " + count + (count == 1 ? " element" : " elements"));
        }
    }

    public static void convert(Tensor out, Tensor in) {
        String op = "convert";
        number(op, "out", out);
        number(op, "in", in);
        sameRowsAndColumns(op, "out", out, "in", in);
    }

    public static void crossEntropy(Tensor losses, Tensor logits, Tensor targets) {
        crossEntropy("crossEntropy", losses, logits, targets);
    }

    public static void crossEntropyForward(Tensor losses, Tensor logits, Tensor targets) {
        crossEntropy("crossEntropyForward", losses, logits, targets);
    }

    private static void crossEntropy(String op, Tensor losses, Tensor logits, Tensor targets) {
        f32(op, "logits", logits);
        statistic(op, "losses", losses, "logits", logits);
        i32(op, "targets", targets);
        oneARow(op, "targets", targets, "logits", logits);
    }

    public static void sum(Tensor out, Tensor[] sources, long from, long to) {
        String op = "sum";
        elements(op, "out", out, from, to);
        if (sources.length == 0) {
            throw new IllegalArgumentException(op + ": no sources for out " + out);
        }
        for (Tensor source : sources) {
            elements(op, "source", source, from, to);
            sameSize(op, "source", source, "out", out);
        }
    }

    public static void sumOfSquares(Tensor tensor, long from, long to) {
        elements("sumOfSquares", "tensor", tensor, from, to);
    }

    public static void adamW(
            Tensor weights, Tensor gradients, Tensor firstMoment, Tensor secondMoment, long from, long to, long step) {
        String op = "adamW";
        elements(op, "weights", weights, from, to);
        elements(op, "gradients", gradients, from, to);
        sameSize(op, "gradients", gradients, "weights", weights);
        elements(op, "firstMoment", firstMoment, from, to);
        sameSize(op, "firstMoment", firstMoment, "weights", weights);
        elements(op, "secondMoment", secondMoment, from, to);
        sameSize(op, "secondMoment", secondMoment, "weights", weights);
        if (step < 1) {
            throw new IllegalArgumentException(
                    op + ": step " + step + " for weights " + weights + "; steps count from 1");
        }
    }

    // ------------------------------------------------------------------ rules

    private static void f32(String op, String role, Tensor t) {
        dtype(op, role, t, DType.F32);
    }

    private static void i32(String op, String role, Tensor t) {
        dtype(op, role, t, DType.I32);
    }

    private static void dtype(String op, String role, Tensor t, DType dtype) {
        if (t.dtype() != dtype) {
            throw new IllegalArgumentException(op + ": " + role + " " + t + " must be " + dtype);
        }
    }

    private static void number(String op, String role, Tensor t) {
        if (t.dtype() != DType.F32 && t.dtype() != DType.BF16) {
            throw new IllegalArgumentException(op + ": " + role + " " + t + " must be F32 or BF16");
        }
    }

    private static void contiguous(String op, String role, Tensor t) {
        if (!t.isContiguous() && t.rows() > 1) {
            throw new IllegalArgumentException(op + ": " + role + " " + t + " must be contiguous, but its rows lie "
                    + t.rowStride() + " elements apart");
        }
    }

    private static void sameDType(String op, String role, Tensor t, String otherRole, Tensor other) {
        if (t.dtype() != other.dtype()) {
            throw mismatch(op, role, t, otherRole, other, "element types must be equal");
        }
    }

    private static void sameRows(String op, String role, Tensor t, String otherRole, Tensor other) {
        if (t.rows() != other.rows()) {
            throw mismatch(op, role, t, otherRole, other, "rows must be equal");
        }
    }

    private static void sameColumns(String op, String role, Tensor t, String otherRole, Tensor other) {
        if (t.columns() != other.columns()) {
            throw mismatch(op, role, t, otherRole, other, "columns must be equal");
        }
    }

    private static void sameRowsAndColumns(String op, String role, Tensor t, String otherRole, Tensor other) {
        sameRows(op, role, t, otherRole, other);
        sameColumns(op, role, t, otherRole, other);
    }

    private static void sameShape(String op, String role, Tensor t, String otherRole, Tensor other) {
        boolean same = t.rank() == other.rank();
        for (int axis = 0; same && axis < t.rank(); axis++) {
            same = t.dim(axis) == other.dim(axis);
        }
        if (!same) {
            throw mismatch(op, role, t, otherRole, other, "shapes must be equal");
        }
    }

    private static void sameSize(String op, String role, Tensor t, String otherRole, Tensor other) {
        if (t.size() != other.size()) {
            throw mismatch(op, role, t, otherRole, other, "numbers of elements must be equal");
        }
    }

    private static void columnsAreRows(String op, String role, Tensor t, String otherRole, Tensor other) {
        if (t.columns() != other.rows()) {
            throw mismatch(op, role, t, otherRole, other, "columns of " + role + " must equal rows of " + otherRole);
        }
    }

    /** One value for each column, as weights and biases of a layer are. */
    private static void vector(String op, String role, Tensor t, String otherRole, Tensor other) {
        f32(op, role, t);
        if (t.size() != other.columns() || t.columns() != other.columns()) {
            throw mismatch(op, role, t, otherRole, other, "there must be one value for each column");
        }
    }

    private static void optionalVector(String op, String role, Tensor t, String otherRole, Tensor other) {
        if (t != null) {
            vector(op, role, t, otherRole, other);
        }
    }

    /** One float for each row. */
    private static void statistic(String op, String role, Tensor t, String otherRole, Tensor other) {
        f32(op, role, t);
        oneARow(op, role, t, otherRole, other);
    }

    private static void oneARow(String op, String role, Tensor t, String otherRole, Tensor other) {
        if (t.size() != other.rows()) {
            throw mismatch(op, role, t, otherRole, other, "there must be one value for each row");
        }
        contiguous(op, role, t);
    }

    /** An integer for each sequence: how many positions came before. */
    private static void oneASequence(String op, Tensor past, String otherRole, Tensor other) {
        i32(op, "past", past);
        if (past.size() != other.dim(0)) {
            throw mismatch(op, "past", past, otherRole, other, "there must be one value for each sequence");
        }
        contiguous(op, "past", past);
    }

    /** Checks {@link Operations#stripedAdamW}. */
    public static void stripedAdamW(
            Tensor weights, Tensor gradients, Tensor firstMoment, Tensor rowMoment, Tensor columnMoment, long step) {
        String op = "stripedAdamW";
        factored(op, weights, gradients, rowMoment, columnMoment, step);
        alike(op, "firstMoment", firstMoment, "weights", weights);
    }

    /** Checks {@link Operations#adafactor}. */
    public static void adafactor(Tensor weights, Tensor gradients, Tensor rowMoment, Tensor columnMoment, long step) {
        factored("adafactor", weights, gradients, rowMoment, columnMoment, step);
    }

    /** Checks {@link Operations#adafactorVector}. */
    public static void adafactorVector(Tensor weights, Tensor gradients, Tensor secondMoment, long step) {
        String op = "adafactorVector";
        alike(op, "gradients", gradients, "weights", weights);
        alike(op, "secondMoment", secondMoment, "weights", weights);
        counted(op, step);
    }

    private static void factored(
            String op, Tensor weights, Tensor gradients, Tensor rowMoment, Tensor columnMoment, long step) {
        alike(op, "gradients", gradients, "weights", weights);
        if (weights.rank() != 2) {
            throw new IllegalArgumentException(op + ": weights " + weights + " must be a matrix");
        }
        statistic(op, "rowMoment", rowMoment, "weights", weights);
        vector(op, "columnMoment", columnMoment, "weights", weights);
        counted(op, step);
    }

    /** Checks {@link Operations#nesterov}. */
    public static void nesterov(Tensor out, Tensor momentum, Tensor gradients) {
        String op = "nesterov";
        alike(op, "momentum", momentum, "gradients", gradients);
        alike(op, "out", out, "gradients", gradients);
    }

    /** Checks {@link Operations#normalize}. */
    public static void normalize(Tensor out, Tensor in) {
        elementwise("normalize", out, "in", in);
    }

    /** Checks {@link Operations#combine}. */
    public static void combine(Tensor out, Tensor a, Tensor b) {
        elementwise("combine", out, "a", a);
        elementwise("combine", out, "b", b);
    }

    /** Contiguous floats into contiguous numbers, as many. */
    private static void elementwise(String op, Tensor out, String role, Tensor in) {
        f32(op, role, in);
        contiguous(op, role, in);
        contiguous(op, "out", out);
        if (out.dtype() == DType.I32 || out.size() != in.size()) {
            throw mismatch(op, "out", out, role, in, "numbers of elements must be equal, and no integers");
        }
    }

    /** Contiguous floats, as many as in the other. */
    private static void alike(String op, String role, Tensor t, String otherRole, Tensor other) {
        f32(op, role, t);
        f32(op, otherRole, other);
        contiguous(op, role, t);
        contiguous(op, otherRole, other);
        if (t.size() != other.size()) {
            throw mismatch(op, role, t, otherRole, other, "numbers of elements must be equal");
        }
    }

    private static void counted(String op, long step) {
        if (step < 1) {
            throw new IllegalArgumentException(op + ": step " + step + "; steps count from 1");
        }
    }

    /** One float for each head of each row. */
    private static void oneAHead(String op, String role, Tensor t, String otherRole, Tensor other, int heads) {
        f32(op, role, t);
        if (t.size() != (long) other.rows() * heads) {
            String rule =
                    "there must be one value for each row" + (heads == 1 ? "" : " and each of " + heads + " heads");
            throw mismatch(op, role, t, otherRole, other, rule);
        }
        contiguous(op, role, t);
    }

    private static void sequences(String op, String role, Tensor t) {
        if (t.rank() != 3) {
            throw new IllegalArgumentException(op + ": " + role + " " + t + " must have the shape (B, T, C)");
        }
    }

    private static void heads(String op, String role, Tensor t, int heads) {
        if (heads < 1 || t.columns() % heads != 0) {
            throw new IllegalArgumentException(
                    op + ": " + heads + " heads do not divide the columns of " + role + " " + t);
        }
    }

    /** Contiguous floats of which elements [from, to) are meant. */
    private static void elements(String op, String role, Tensor t, long from, long to) {
        f32(op, role, t);
        contiguous(op, role, t);
        if (from < 0 || from > to || to > t.size()) {
            throw new IllegalArgumentException(
                    op + ": elements " + from + " to " + to + " of " + role + " " + t + ", which has " + t.size());
        }
    }

    private static IllegalArgumentException mismatch(
            String op, String role, Tensor t, String otherRole, Tensor other, String rule) {
        return new IllegalArgumentException(
                op + ": " + role + " " + t + " does not match " + otherRole + " " + other + ": " + rule);
    }
}
