package pacer.trainer.spec;

/** What attention sees, and how. */
public record AttentionSpec(
        @Doc(value = "how positions are told apart", standard = "learned", later = true)
        Positions positions,

        @Doc(
                value = "rotary positions turn by up to 1 a token, and as little as 1/rotaryBase",
                min = 1,
                max = 1e9,
                standard = "10000",
                later = true)
        double rotaryBase,

        @Doc(value = "queries and keys are normalised head by head", standard = "false", later = true)
        boolean qkNorm,

        @Doc(value = "what values are mixed with", standard = "plain", later = true)
        Values values,

        @Doc(value = "values are multiplied by it", min = 1e-6, max = 1e6, standard = "1", later = true)
        double valueScale,

        @Doc(
                value = "the layer, from 0, that has no attention; -1: none",
                min = -1,
                max = 1000,
                standard = "-1",
                later = true)
        int leftOut,

        @Doc(
                value =
                        "token with which a document begins: no position sees another document; -1: documents are not told apart",
                min = -1,
                max = 1e6,
                standard = "-1",
                later = true)
        int documentToken,

        @Doc(
                value = "tokens that a position sees at the end of training, in whole windowSteps; 0: all",
                min = 0,
                max = 1048576,
                standard = "0",
                later = true)
        int window,

        @Doc(
                value = "the same at the start of training; 0: as at its end",
                min = 0,
                max = 1048576,
                standard = "0",
                later = true)
        int windowStart,

        @Doc(value = "windows change by so many tokens at once", min = 1, max = 1048576, standard = "1", later = true)
        int windowStep,

        @Doc(value = "how windows end", standard = "tokens", later = true)
        WindowKind windowKind,

        @Doc(
                value = "tokens of a block, where windows are of blocks",
                min = 1,
                max = 1048576,
                standard = "128",
                later = true)
        int windowBlock) {

    /** All that came before, by learned positions. */
    static final AttentionSpec GPT2 = new AttentionSpec(
            Positions.LEARNED, 10000, false, Values.PLAIN, 1, -1, -1, 0, 0, 1, WindowKind.TOKENS, 128);

    /** Ways to tell positions apart. */
    public enum Positions {
        /** An embedding of positions, added to that of tokens. */
        LEARNED,
        /** Queries and keys turn with their position; Su et al. 2021. */
        ROTARY,
        /** The same for the first half of each head's pairs; the other half stays. */
        ROTARY_HALF
    }

    /** What values are mixed with, by learned numbers. */
    public enum Values {
        /** Nothing. */
        PLAIN,
        /** Values of the first layer, λ to 1 - λ; Zhou et al. 2024. */
        FIRST_LAYER,
        /** An embedding of the token, a table for each layer, λ to 1 - λ. */
        TABLES_EACH,
        /** Tables for the first half of the layers and, mirrored, for the second; two numbers a layer. */
        TABLES_MIRRORED,
        /** Three tables, for the first three layers and in the same order for the last three; two numbers a layer, of which those between take one. */
        TABLES_ENDS;

        static final int ENDS = 3;

        /** Tables that a model of {@code layers} has. */
        public int tables(int layers) {
            return switch (this) {
                case PLAIN, FIRST_LAYER -> 0;
                case TABLES_EACH -> layers;
                case TABLES_MIRRORED -> layers / 2;
                case TABLES_ENDS -> ENDS;
            };
        }

        /** The table of {@code layer}; -1 where it has none. */
        public int table(int layer, int layers) {
            return switch (this) {
                case PLAIN, FIRST_LAYER -> -1;
                case TABLES_EACH -> layer;
                case TABLES_MIRRORED -> Math.min(layer, layers - 1 - layer);
                case TABLES_ENDS -> layer < ENDS ? layer : layer >= layers - ENDS ? layer - layers + ENDS : -1;
            };
        }

        /** Learned numbers a layer. */
        public int numbers() {
            return switch (this) {
                case PLAIN -> 0;
                case FIRST_LAYER, TABLES_EACH -> 1;
                case TABLES_MIRRORED, TABLES_ENDS -> 2;
            };
        }
    }

    /** How windows end. */
    public enum WindowKind {
        /** At a token: position t sees the last so many, itself among them. */
        TOKENS,
        /** At a block: it sees its own block of {@code windowBlock} tokens and as many before as make up the window. */
        BLOCKS,
        /** At the later of the two. */
        BOTH
    }

    /** Whether a position may see less than all that came before it. */
    public boolean limitsSight() {
        return window > 0 || documentToken >= 0;
    }

    /**
     * Tokens that a position sees when {@code progress} of the training is done; 0: all. Between start and end along a straight line, rounded down to
     * whole steps: as modded-nanogpt's records work it out, at each of their steps.
     *
     * @param progress 0 to 1
     */
    public int windowAt(double progress) {
        int start = windowStart == 0 ? window : windowStart;
        return (int) (start + progress * (window - start)) / windowStep * windowStep;
    }
}
