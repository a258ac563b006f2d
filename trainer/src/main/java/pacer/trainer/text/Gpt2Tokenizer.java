package pacer.trainer.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import pacer.trainer.data.BadDataException;

/** GPT-2's byte-pair encoding: 50,256 tokens made of bytes, and {@link #END_OF_TEXT}. Encodes any text. */
public final class Gpt2Tokenizer implements Tokenizer {
    /** {@code <|endoftext|>}, which stands before each document of a dataset. */
    public static final int END_OF_TEXT = 50_256;

    private static final String END_OF_TEXT_NAME = "<|endoftext|>";

    private static final byte[] END_OF_TEXT_BYTES = END_OF_TEXT_NAME.getBytes(StandardCharsets.UTF_8);

    private final BytePairVocabulary vocabulary = BytePairVocabulary.load();

    private Gpt2Tokenizer() {}

    /** The tokenizer; its vocabulary is read when it is first asked for. */
    public static Gpt2Tokenizer instance() {
        return Holder.INSTANCE;
    }

    private static final class Holder {
        static final Gpt2Tokenizer INSTANCE = new Gpt2Tokenizer();
    }

    @Override
    public int vocabularySize() {
        return END_OF_TEXT + 1;
    }

    @Override
    public List<String> characters() {
        return List.of();
    }

    @Override
    public int[] encode(String text) {
        int lone = loneSurrogate(text);
        if (lone >= 0) {
            throw new BadDataException(
                    "char %d of the text, U+%04X, is half of a surrogate pair and no character; leave it out"
                            .formatted(lone, (int) text.charAt(lone)));
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        TokenBuffer tokens = new TokenBuffer(bytes.length / 3 + 1);
        try {
            encoder().encode(bytes, 0, bytes.length, tokens);
        } catch (BadTextException e) {
            throw new BadDataException("byte %d of the text: %s".formatted(e.at(), e.getMessage()), e);
        }
        return tokens.toIntArray();
    }

    /** The same, but {@code <|endoftext|>} is that token, as a prompt means it; in a dataset's text it is plain text. */
    @Override
    public int[] encodePrompt(String text) {
        String[] parts = text.split(Pattern.quote(END_OF_TEXT_NAME), -1);
        TokenBuffer tokens = new TokenBuffer(text.length() / 3 + 1);
        for (int i = 0; i < parts.length; i++) {
            if (i > 0) {
                tokens.add(END_OF_TEXT);
            }
            for (int token : encode(parts[i])) {
                tokens.add(token);
            }
        }
        return tokens.toIntArray();
    }

    /** An encoder for one thread. */
    Gpt2Encoder encoder() {
        return new Gpt2Encoder(vocabulary);
    }

    @Override
    public byte[] bytes(int token) {
        if (token < 0 || token > END_OF_TEXT) {
            throw new IllegalArgumentException("token " + token + " of GPT-2's vocabulary of " + vocabularySize());
        }
        return token == END_OF_TEXT ? END_OF_TEXT_BYTES.clone() : vocabulary.bytes(token);
    }

    /**
     * Where the two parts meet that {@code token}, of several bytes, was learned from: what is left when its bytes are merged by the tokens
     * before it.
     */
    int merge(int token) {
        byte[] bytes = vocabulary.bytes(token);
        List<Integer> ends = new ArrayList<>(); // of the parts
        for (int i = 1; i <= bytes.length; i++) {
            ends.add(i);
        }
        while (ends.size() > 2) {
            int best = -1;
            int rank = token;
            for (int part = 0; part + 1 < ends.size(); part++) {
                int union = vocabulary.token(bytes, part == 0 ? 0 : ends.get(part - 1), ends.get(part + 1));
                if (union < rank) {
                    best = part;
                    rank = union;
                }
            }
            if (best < 0) {
                throw new IllegalStateException("token " + token + " is not made of two that were learned before it");
            }
            ends.remove(best);
        }
        return ends.getFirst();
    }

    /** Index of the first char that is half a surrogate pair without the other half, or -1. */
    static int loneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!Character.isSupplementaryCodePoint(text.codePointAt(i))) {
                    return i;
                }
                i++;
            }
        }
        return -1;
    }
}
