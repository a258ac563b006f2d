package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** No memory is touched here: every tensor lies at address 0. */
class ShapesTest {

    private static Tensor f32(String name, int... shape) {
        return new Tensor(name, DType.F32, 0, shape[shape.length - 1], shape);
    }

    private static Tensor bf16(String name, int... shape) {
        return new Tensor(name, DType.BF16, 0, shape[shape.length - 1], shape);
    }

    private static Tensor i32(String name, int... shape) {
        return new Tensor(name, DType.I32, 0, shape[shape.length - 1], shape);
    }

    private static void refused(Runnable check, String message) {
        assertThatThrownBy(check::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    private static void accepted(Runnable check) {
        assertThatCode(check::run).doesNotThrowAnyException();
    }

    @Test
    void embedding() {
        Tensor x = f32("x", 2, 3, 4);
        Tensor tokens = i32("tokens", 2, 3);
        Tensor wte = f32("wte", 10, 4);
        Tensor wpe = f32("wpe", 3, 4);
        accepted(() -> Shapes.embeddingForward(x, tokens, wte, wpe, null));
        accepted(() -> Shapes.embeddingForward(x, tokens, wte, null, i32("past", 2)));
        accepted(() -> Shapes.embeddingBackward(wte, wpe, x, tokens));
        refused(
                () -> Shapes.embeddingForward(x, f32("tokens", 2, 3), wte, wpe, null),
                "embeddingForward: tokens tokens (2, 3) F32 must be I32");
        refused(
                () -> Shapes.embeddingForward(x, i32("tokens", 2, 4), wte, wpe, null),
                "embeddingForward: tokens tokens (2, 4) I32 does not match out x (2, 3, 4) F32: "
                        + "there must be one value for each row");
        refused(
                () -> Shapes.embeddingForward(x, tokens, f32("wte", 10, 5), wpe, null),
                "embeddingForward: token embedding wte (10, 5) F32 does not match out x (2, 3, 4) F32: "
                        + "columns must be equal");
        refused(
                () -> Shapes.embeddingForward(x, tokens, wte, wpe, i32("past", 3)),
                "embeddingForward: past past (3) I32 does not match tokens tokens (2, 3) I32: "
                        + "there must be one value for each sequence");
        refused(
                () -> Shapes.embeddingBackward(wte, f32("wpe", 2, 4), x, tokens),
                "embeddingBackward: position embedding wpe (2, 4) F32 does not match tokens tokens (2, 3) I32: "
                        + "there must be a row for each position");
    }

    @Test
    void layerNorm() {
        Tensor x = f32("x", 6, 4);
        Tensor six = f32("six", 6);
        Tensor four = f32("four", 4);
        accepted(() -> Shapes.layerNormForward(bf16("y", 6, 4), six, six, x, four, null));
        accepted(() -> Shapes.layerNormForward(f32("y", 6, 4), f32("mean", 2, 3), six, x, four, four));
        accepted(() -> Shapes.layerNormBackward(x, four, null, x, x, four, six, six));
        refused(
                () -> Shapes.layerNormForward(x, six, four, x, four, null),
                "layerNormForward: rstd four (4) F32 does not match in x (6, 4) F32: there must be one value for each row");
        refused(
                () -> Shapes.layerNormForward(x, six, six, x, six, null),
                "layerNormForward: weight six (6) F32 does not match in x (6, 4) F32: "
                        + "there must be one value for each column");
        refused(
                () -> Shapes.layerNormBackward(x, four, six, x, x, four, six, six),
                "layerNormBackward: dBias six (6) F32 does not match in x (6, 4) F32: "
                        + "there must be one value for each column");
        refused(
                () -> Shapes.layerNormBackward(bf16("dx", 6, 4), four, null, x, x, four, six, six),
                "layerNormBackward: dIn dx (6, 4) BF16 must be F32");
    }

    @Test
    void linear() {
        Tensor y = f32("y", 768, 512);
        Tensor x = f32("ln_2", 768, 64);
        Tensor w = f32("block.0.c_fc", 512, 64);
        accepted(() -> Shapes.linearForward(y, x, w, null));
        accepted(() -> Shapes.linearForward(y, bf16("x", 768, 64), bf16("w", 512, 64), f32("bias", 512)));
        accepted(() -> Shapes.linearBackwardInput(x, y, w));
        accepted(() -> Shapes.linearBackwardWeight(w, null, y, x));
        refused(
                () -> Shapes.linearForward(y, x, f32("block.0.c_fc", 512, 128), null),
                "linearForward: weight block.0.c_fc (512, 128) F32 does not match in ln_2 (768, 64) F32: "
                        + "columns must be equal");
        refused(
                () -> Shapes.linearForward(y, x, bf16("w", 512, 64), null),
                "linearForward: weight w (512, 64) BF16 does not match in ln_2 (768, 64) F32: element types must be equal");
        refused(
                () -> Shapes.linearForward(f32("y", 768, 511), x, w, null),
                "linearForward: out y (768, 511) F32 does not match weight block.0.c_fc (512, 64) F32: "
                        + "columns of out must equal rows of weight");
        refused(
                () -> Shapes.linearBackwardInput(x, f32("dy", 767, 512), w),
                "linearBackwardInput: dOut dy (767, 512) F32 does not match dIn ln_2 (768, 64) F32: rows must be equal");
        refused(
                () -> Shapes.linearBackwardWeight(w, f32("dBias", 64), y, x),
                "linearBackwardWeight: dBias dBias (64) F32 does not match dOut y (768, 512) F32: "
                        + "there must be one value for each column");
    }

    @Test
    void attention() {
        Tensor x = f32("x", 2, 3, 8);
        Tensor y = bf16("y", 2, 3, 8);
        Tensor lse = f32("lse", 2, 4, 3);
        Tensor first = i32("first", 2, 3);
        accepted(() -> Shapes.attentionForward(x, lse, x, x, x, first, 4));
        accepted(() -> Shapes.attentionBackward(y, y, y, x, y, lse, x, x, x, null, 4));
        refused(
                () -> Shapes.attentionForward(x, lse, x, x, x, null, 3),
                "attentionForward: 3 heads do not divide the columns of q x (2, 3, 8) F32");
        refused(
                () -> Shapes.attentionForward(x, lse, x, x, x, null, 2),
                "attentionForward: logSumExp lse (2, 4, 3) F32 does not match q x (2, 3, 8) F32: "
                        + "it must be a contiguous (B, 2, T)");
        refused(
                () -> Shapes.attentionForward(x, lse, f32("q", 6, 8), x, x, null, 4),
                "attentionForward: q q (6, 8) F32 must have the shape (B, T, C)");
        refused(
                () -> Shapes.attentionForward(x, lse, x, f32("k", 3, 2, 8), x, null, 4),
                "attentionForward: k k (3, 2, 8) F32 does not match q x (2, 3, 8) F32: shapes must be equal");
        refused(
                () -> Shapes.attentionBackward(y, x, y, x, y, lse, x, x, x, null, 4),
                "attentionBackward: dK x (2, 3, 8) F32 does not match dQ y (2, 3, 8) BF16: element types must be equal");
        refused(
                () -> Shapes.attentionForward(x, lse, x, x, x, i32("first", 3), 4),
                "attentionForward: firstKey first (3) I32 does not match q x (2, 3, 8) F32: "
                        + "there must be one value for each row");
    }

    @Test
    void attentionCached() {
        Tensor x = f32("x", 2, 3, 8);
        Tensor cache = f32("cache", 2, 4, 5, 2);
        Tensor past = i32("past", 2);
        accepted(() -> Shapes.attentionCached(bf16("y", 2, 3, 8), cache, cache, x, x, x, past, null, 4));
        refused(
                () -> Shapes.attentionCached(x, cache, cache, x, f32("k", 2, 2, 8), x, past, null, 4),
                "attentionCached: k k (2, 2, 8) F32 does not match q x (2, 3, 8) F32: shapes must be equal");
        String rule = ": it must be (B, 4, maxT, 2) with room for the new positions";
        refused(
                () -> Shapes.attentionCached(x, f32("cache", 2, 4, 2, 2), cache, x, x, x, past, null, 4),
                "attentionCached: keys cache (2, 4, 2, 2) F32 does not match q x (2, 3, 8) F32" + rule);
        refused(
                () -> Shapes.attentionCached(x, f32("cache", 2, 5, 4, 2), cache, x, x, x, past, null, 4),
                "attentionCached: keys cache (2, 5, 4, 2) F32 does not match q x (2, 3, 8) F32" + rule);
        refused(
                () -> Shapes.attentionCached(x, cache, f32("values", 2, 4, 6, 2), x, x, x, past, null, 4),
                "attentionCached: values values (2, 4, 6, 2) F32 does not match keys cache (2, 4, 5, 2) F32: "
                        + "shapes must be equal");
        refused(
                () -> Shapes.attentionCached(x, cache, cache, x, x, x, i32("past", 1), null, 4),
                "attentionCached: past past (1) I32 does not match q x (2, 3, 8) F32: "
                        + "there must be one value for each sequence");
        refused(
                () -> Shapes.attentionCached(x, cache, cache, x, x, x, f32("past", 2), null, 4),
                "attentionCached: past past (2) F32 must be I32");
    }

    @Test
    void elementwise() {
        Tensor x = f32("x", 6, 4);
        Tensor other = f32("other", 4, 6);
        accepted(() -> Shapes.activationForward(bf16("y", 6, 4), f32("x", 2, 3, 4)));
        accepted(() -> Shapes.convert(bf16("y", 6, 4), x));
        refused(
                () -> Shapes.activationForward(other, x),
                "activationForward: out other (4, 6) F32 does not match in x (6, 4) F32: rows must be equal");
        refused(
                () -> Shapes.activationBackward(x, other, x),
                "activationBackward: dOut other (4, 6) F32 does not match in x (6, 4) F32: rows must be equal");
        refused(
                () -> Shapes.add(x, x, f32("b", 6, 5)),
                "add: b b (6, 5) F32 does not match out x (6, 4) F32: columns must be equal");
        refused(() -> Shapes.dropout(bf16("y", 6, 4), x), "dropout: out y (6, 4) BF16 must be F32");
        refused(() -> Shapes.convert(i32("y", 6, 4), x), "convert: out y (6, 4) I32 must be F32 or BF16");
    }

    @Test
    void rmsNorm() {
        Tensor x = f32("x", 2, 3, 8);
        accepted(() -> Shapes.rmsNormForward(bf16("y", 2, 3, 8), f32("rstd", 2, 3), x, 1));
        accepted(() -> Shapes.rmsNormForward(x, f32("rstd", 2, 3, 4), x, 4));
        accepted(() -> Shapes.rmsNormBackward(x, x, x, f32("rstd", 2, 3, 4), 4));
        refused(
                () -> Shapes.rmsNormForward(x, f32("rstd", 2, 3), x, 4),
                "rmsNormForward: rstd rstd (2, 3) F32 does not match in x (2, 3, 8) F32: "
                        + "there must be one value for each row and each of 4 heads");
        refused(
                () -> Shapes.rmsNormForward(x, f32("rstd", 2, 3), x, 3),
                "rmsNormForward: 3 heads do not divide the columns of in x (2, 3, 8) F32");
        refused(
                () -> Shapes.rmsNormBackward(x, f32("dy", 2, 3, 7), x, f32("rstd", 2, 3), 1),
                "rmsNormBackward: dOut dy (2, 3, 7) F32 does not match in x (2, 3, 8) F32: columns must be equal");
    }

    @Test
    void rotary() {
        Tensor x = f32("x", 2, 3, 8);
        Tensor table = f32("table", 3, 2);
        accepted(() -> Shapes.rotaryForward(x, x, table, table, null, 2));
        accepted(() -> Shapes.rotaryBackward(x, x, f32("cos", 9, 2), f32("sin", 9, 2), 2));
        String rule = "with 2 heads there must be a row for each position and a column for each pair of a head";
        refused(
                () -> Shapes.rotaryForward(x, x, f32("cos", 2, 2), table, null, 2),
                "rotaryForward: cosines cos (2, 2) F32 does not match in x (2, 3, 8) F32: " + rule);
        refused(
                () -> Shapes.rotaryBackward(x, x, f32("cos", 3, 4), table, 2),
                "rotaryBackward: cosines cos (3, 4) F32 does not match dOut x (2, 3, 8) F32: " + rule);
        refused(
                () -> Shapes.rotaryForward(f32("y", 6, 8), x, table, table, null, 2),
                "rotaryForward: out y (6, 8) F32 does not match in x (2, 3, 8) F32: shapes must be equal");
        refused(
                () -> Shapes.rotaryForward(x, x, table, f32("sin", 4, 2), null, 2),
                "rotaryForward: sines sin (4, 2) F32 does not match cosines table (3, 2) F32: rows must be equal");
    }

    @Test
    void crossEntropy() {
        Tensor logits = new Tensor("logits", DType.F32, 0, 80, 6, 77);
        accepted(() -> Shapes.crossEntropy(f32("losses", 6), logits, i32("targets", 2, 3)));
        refused(
                () -> Shapes.crossEntropy(f32("losses", 5), logits, i32("targets", 6)),
                "crossEntropy: losses losses (5) F32 does not match logits logits (6, 77) F32: "
                        + "there must be one value for each row");
        refused(
                () -> Shapes.crossEntropyForward(f32("losses", 6), logits, f32("targets", 6)),
                "crossEntropyForward: targets targets (6) F32 must be I32");
    }

    @Test
    void optimizers() {
        Tensor w = f32("w", 6, 4);
        Tensor flat = f32("flat", 24);
        accepted(() -> Shapes.adamW(w, flat, flat, flat, 0, 24, 1));
        accepted(() -> Shapes.sum(w, new Tensor[] {flat, w}, 5, 5));
        refused(
                () -> Shapes.adamW(w, flat, flat, flat, 0, 25, 1),
                "adamW: elements 0 to 25 of weights w (6, 4) F32, which has 24");
        refused(
                () -> Shapes.adamW(w, f32("g", 25), flat, flat, 0, 24, 1),
                "adamW: gradients g (25) F32 does not match weights w (6, 4) F32: numbers of elements must be equal");
        refused(
                () -> Shapes.adamW(w, flat, flat, flat, 0, 24, 0),
                "adamW: step 0 for weights w (6, 4) F32; steps count from 1");
        refused(
                () -> Shapes.sumOfSquares(f32("wide", 6, 8).columns("view", 0, 4), 0, 24),
                "sumOfSquares: tensor view (6, 4) F32 must be contiguous, but its rows lie 8 elements apart");
        refused(
                () -> Shapes.sumOfSquares(flat, 3, 2),
                "sumOfSquares: elements 3 to 2 of tensor flat (24) F32, which has 24");
        refused(() -> Shapes.sum(w, new Tensor[0], 0, 24), "sum: no sources for out w (6, 4) F32");
    }
}
