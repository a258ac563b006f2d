package pacer.trainer.spec;

import pacer.trainer.ops.Operations.Activation;

/** The network. Switches, not subclasses: each public model is a setting of these. */
public record ModelSpec(
        @Doc(value = "transformer blocks", min = 1, max = 1000)
        int layers,

        @Doc(value = "attention heads; divides width", min = 1, max = 1024)
        int heads,

        @Doc(value = "width of the residual stream", min = 1, max = 65536)
        int width,

        @Doc(value = "tokens a sequence", min = 1, max = 1048576)
        int sequenceLength,

        @Doc(value = "vocabulary size; 0 takes the dataset's", min = 0, max = 1000000, standard = "0")
        int vocabulary,

        @Doc(value = "biases in linear layers and norms", standard = "true")
        boolean bias,

        @Doc(value = "feed-forward activation", standard = "gelu_erf")
        Activation activation,

        @Doc(value = "added to the variance in LayerNorm", min = 1e-30, max = 1, standard = "1e-5")
        double normEpsilon,

        @Doc(value = "dropout of embeddings, attention and projections", min = 0, max = 0.99, standard = "0")
        double dropout,

        @Doc(value = "the head shares the token embedding's weights", standard = "true")
        boolean tiedHead) {

    /** Width of one head. */
    public int headWidth() {
        return width / heads;
    }

    /** Weights and biases; a tied head counts once. */
    public long parameters() {
        long c = width; // GPT-2's shapes: four products of c × c in attention, two of c × 4c in the feed-forward part
        long products = 12 * c * c + (bias ? 9 * c : 0);
        long norm = bias ? 2 * c : c;
        long embeddings = (long) vocabulary * c + sequenceLength * c;
        return embeddings + layers * (products + 2 * norm) + norm + (tiedHead ? 0 : (long) vocabulary * c);
    }

    /** This model with its vocabulary filled in. */
    public ModelSpec withVocabulary(int size) {
        return new ModelSpec(
                layers, heads, width, sequenceLength, size, bias, activation, normEpsilon, dropout, tiedHead);
    }
}
