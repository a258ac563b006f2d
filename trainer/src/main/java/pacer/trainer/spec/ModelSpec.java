package pacer.trainer.spec;

import java.util.stream.IntStream;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.AttentionSpec.Positions;

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

        @Doc(value = "added to the variance, or the mean square, in norms", min = 1e-30, max = 1, standard = "1e-5")
        double normEpsilon,

        @Doc(value = "dropout of embeddings, attention and projections", min = 0, max = 0.99, standard = "0")
        double dropout,

        @Doc(value = "the head shares the token embedding's weights", standard = "true")
        boolean tiedHead,

        @Doc(
                value = "normalisation before each half of a block and before the head",
                standard = "layer_norm",
                later = true)
        Norm norm,

        @Doc(value = "the embedding is normalised before the first block", standard = "false", later = true)
        boolean embeddingNorm,

        @Doc(value = "c of c·tanh(logit / c); 0: logits as they are", min = 0, max = 1e6, standard = "0", later = true)
        double softcap,

        @Doc(value = "first values of the weights", standard = "gpt2", later = true)
        Initial initial,

        @Doc(value = "what attention sees, and how", standard = "{}")
        AttentionSpec attention,

        @Doc(value = "ways past the blocks", standard = "{}")
        StreamSpec stream) {

    /** A checkpoint from before there were these switches says nothing of them: then the model is as models were. */
    public ModelSpec {
        norm = norm == null ? Norm.LAYER_NORM : norm;
        initial = initial == null ? Initial.GPT2 : initial;
        attention = attention == null ? AttentionSpec.GPT2 : attention;
        stream = stream == null ? StreamSpec.GPT2 : stream;
    }

    /** Normalisations. */
    public enum Norm {
        /** Ba, Kiros, Hinton 2016, with learned gains. */
        LAYER_NORM,
        /** Zhang, Sennrich 2019, without gains. */
        RMS_NORM
    }

    /** First values of the weights. */
    public enum Initial {
        /** N(0, 0.02²), and less where a matrix writes to the residual stream; Radford et al. 2019. */
        GPT2,
        /** As PyTorch begins: linear layers uniform in ±1/√inputs, embeddings N(0, 1). */
        TORCH,
        /** The same, but zero where a matrix writes to the residual stream or to the logits. */
        TORCH_ZERO
    }

    /** GPT-2's network: learned positions, LayerNorm, attention to all that came before. */
    public static ModelSpec gpt2(
            int layers,
            int heads,
            int width,
            int sequenceLength,
            int vocabulary,
            boolean bias,
            Activation activation,
            double normEpsilon,
            double dropout,
            boolean tiedHead) {
        return new ModelSpec(
                layers,
                heads,
                width,
                sequenceLength,
                vocabulary,
                bias,
                activation,
                normEpsilon,
                dropout,
                tiedHead,
                Norm.LAYER_NORM,
                false,
                0,
                Initial.GPT2,
                AttentionSpec.GPT2,
                StreamSpec.GPT2);
    }

    /** Width of one head. */
    public int headWidth() {
        return width / heads;
    }

    /** Learned numbers: weights, gains, biases, mixes; a tied head counts once. */
    public long parameters() {
        long c = width;
        long attentions = attentionLayers();
        long norms = norm == Norm.LAYER_NORM ? attentions + layers + 1 : 0;
        long tables = 1L + valueTables() + (tiedHead ? 0 : 1);
        return tables * vocabulary * c
                + (attention.positions() == Positions.LEARNED ? sequenceLength * c : 0)
                + norms * (bias ? 2 * c : c)
                + attentions
                        * (4 * c * c + (bias ? 4 * c : 0) + attention.values().numbers())
                + layers * (8 * c * c + (bias ? 5 * c : 0) + (stream.embedding() ? 2L : 0))
                + (stream.skips() ? layers - layers / 2 : 0);
    }

    /** Whether first values make every token about as likely: small ones do, and a head of zeros; PyTorch's are neither. */
    public boolean beginsByGuessing() {
        return switch (initial) {
            case GPT2 -> true;
            case TORCH -> false;
            case TORCH_ZERO -> !tiedHead;
        };
    }

    /** Whether it is GPT-2's network: nothing is switched on that {@link #gpt2} has not. */
    public boolean equalsGpt2() {
        return attention.equals(AttentionSpec.GPT2)
                && stream.equals(StreamSpec.GPT2)
                && norm == Norm.LAYER_NORM
                && !embeddingNorm
                && softcap == 0;
    }

    /** Whether layer {@code layer} has attention. */
    public boolean hasAttention(int layer) {
        return layer != attention.leftOut();
    }

    /** How many layers have attention. */
    public int attentionLayers() {
        return (int) IntStream.range(0, layers).filter(this::hasAttention).count();
    }

    /** Tables of value embeddings. */
    public int valueTables() {
        return attention.values().tables(layers);
    }

    /** The layers that take {@code table} of value embeddings, in their order. */
    public IntStream layersOfTable(int table) {
        return IntStream.range(0, layers)
                .filter(this::hasAttention)
                .filter(layer -> attention.values().table(layer, layers) == table);
    }

    /** The layer whose output is added to layer {@code layer}'s input; -1 where none is. */
    public int skipSource(int layer) {
        return stream.skips() && layer >= layers / 2 ? layers - 1 - layer : -1;
    }

    /** This model with its vocabulary filled in. */
    public ModelSpec withVocabulary(int size) {
        return with(sequenceLength, size);
    }

    /** This model for sequences of {@code length}. */
    public ModelSpec withSequenceLength(int length) {
        return with(length, vocabulary);
    }

    private ModelSpec with(int length, int size) {
        return new ModelSpec(
                layers,
                heads,
                width,
                length,
                size,
                bias,
                activation,
                normEpsilon,
                dropout,
                tiedHead,
                norm,
                embeddingNorm,
                softcap,
                initial,
                attention,
                stream);
    }
}
