package pacer.trainer.text;

import java.util.Arrays;

/** Encodes UTF-8 into GPT-2's tokens. For one thread: it keeps its working arrays. */
final class Gpt2Encoder implements Encoder {
    /** Up to this many bytes a piece is merged by looking for the best pair anew each time; longer ones by a heap. */
    private static final int SHORT = 100;

    /** Longer pieces are refused: memory for merging one is about 30 times its size. */
    static final int LONGEST_PIECE = 1 << 20;

    private static final int WORDS = 1 << 14;

    private final BytePairVocabulary vocabulary;
    private final int[] start = new int[SHORT + 1]; // where each part of a short piece begins
    private final int[] rank = new int[SHORT + 1]; // of each part together with the next

    // the last word merged for each hash, and its tokens: words of several tokens, too, come again and again
    private final byte[][] words = new byte[WORDS][];
    private final char[][] tokensOfWords = new char[WORDS][];

    Gpt2Encoder(BytePairVocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /**
     * {@inheritDoc}
     *
     * @throws BadTextException if a piece is longer than {@link #LONGEST_PIECE}
     */
    @Override
    public void encode(byte[] text, int from, int to, TokenBuffer out) {
        for (int at = from; at < to; ) {
            int end = Gpt2Pieces.end(text, at, to);
            int token = vocabulary.token(text, at, end);
            if (token != BytePairVocabulary.NONE) {
                out.add(token);
            } else if (end - at <= SHORT) {
                mergeOrRecall(text, at, end, out);
            } else if (end - at > LONGEST_PIECE) {
                throw new BadTextException(at, tooLong());
            } else {
                new LongPiece(vocabulary, text, at, end).merge(out);
            }
            at = end;
        }
    }

    static String tooLong() {
        return ("a run of more than %d bytes of one kind (letters, digits, spaces or others), which GPT-2's encoding "
                        + "takes as one word; divide it, or use dataset.tokenizer characters")
                .formatted(LONGEST_PIECE);
    }

    private void mergeOrRecall(byte[] text, int from, int to, TokenBuffer out) {
        int slot = BytePairVocabulary.hash(text, from, to) & (WORDS - 1);
        byte[] word = words[slot];
        if (word != null && Arrays.equals(word, 0, word.length, text, from, to)) {
            for (char token : tokensOfWords[slot]) {
                out.add(token);
            }
            return;
        }
        int before = out.size();
        merge(text, from, to, out);
        words[slot] = Arrays.copyOfRange(text, from, to);
        tokensOfWords[slot] = Arrays.copyOfRange(out.array(), before, out.size());
    }

    /** Merges the neighbours of least rank, the leftmost of equals, until none can be merged. */
    private void merge(byte[] text, int from, int to, TokenBuffer out) {
        int parts = to - from;
        for (int i = 0; i <= parts; i++) {
            start[i] = from + i;
            rank[i] = i < parts - 1 ? vocabulary.token(text, from + i) : BytePairVocabulary.NONE;
        }
        while (true) {
            int best = 0;
            for (int i = 1; i < parts - 1; i++) {
                best = rank[i] < rank[best] ? i : best;
            }
            if (rank[best] == BytePairVocabulary.NONE) {
                break;
            }
            System.arraycopy(start, best + 2, start, best + 1, parts - best - 1);
            System.arraycopy(rank, best + 2, rank, best + 1, parts - best - 1);
            parts--;
            rank[best] = rank(text, best, parts);
            if (best > 0) {
                rank[best - 1] = rank(text, best - 1, parts);
            }
        }
        for (int i = 0; i < parts; i++) {
            out.add(vocabulary.token(text, start[i], start[i + 1]));
        }
    }

    private int rank(byte[] text, int part, int parts) {
        return part + 1 < parts ? vocabulary.token(text, start[part], start[part + 2]) : BytePairVocabulary.NONE;
    }
}
