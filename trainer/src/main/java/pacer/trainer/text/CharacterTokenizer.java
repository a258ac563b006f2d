package pacer.trainer.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import pacer.trainer.data.BadDataException;

/**
 * A token for each distinct character (Unicode code point) of a text, in code point order, as nanoGPT's
 * shakespeare_char.
 */
public final class CharacterTokenizer implements Tokenizer {
    /** Tokens are stored in 16 bits. */
    static final int MOST = 1 << 16;

    static final int NONE = -1;

    private final int[] characters; // of each token
    private final int[] tokens; // of each character up to the last of the vocabulary, or NONE

    private CharacterTokenizer(int[] characters) {
        this.characters = characters;
        this.tokens = new int[characters[characters.length - 1] + 1];
        Arrays.fill(tokens, NONE);
        for (int token = 0; token < characters.length; token++) {
            tokens[characters[token]] = token;
        }
    }

    /**
     * The tokenizer of characters as {@link #characters} gives them.
     *
     * @throws BadDataException if there are none, more than 65,536, one that is not exactly one character, or they
     *     are not in code point order
     */
    public static CharacterTokenizer of(List<String> vocabulary) {
        int[] characters = new int[vocabulary.size()];
        for (int i = 0; i < characters.length; i++) {
            String entry = vocabulary.get(i);
            if (entry == null || entry.codePointCount(0, entry.length()) != 1 || isSurrogate(entry.codePointAt(0))) {
                throw new BadDataException(("character vocabulary: entry %d is %s; each must be exactly one character; "
                                + "restore the manifest or checkpoint it came from")
                        .formatted(i, entry == null ? "null" : '"' + entry + '"'));
            }
            characters[i] = entry.codePointAt(0);
            if (i > 0 && characters[i] <= characters[i - 1]) {
                throw new BadDataException(
                        ("character vocabulary: entry %d, %s, does not come after %s in code point order; "
                                        + "restore the manifest or checkpoint it came from")
                                .formatted(i, describe(characters[i]), describe(characters[i - 1])));
            }
        }
        return of(characters);
    }

    /** The tokenizer of distinct characters in code point order. */
    static CharacterTokenizer of(int[] characters) {
        if (characters.length == 0 || characters.length > MOST) {
            throw new BadDataException(
                    ("character vocabulary: %d characters; it must have 1 to %d, because token shards hold "
                                    + "16-bit tokens; use dataset.tokenizer gpt2")
                            .formatted(characters.length, MOST));
        }
        return new CharacterTokenizer(characters);
    }

    @Override
    public int vocabularySize() {
        return characters.length;
    }

    @Override
    public List<String> characters() {
        List<String> list = new ArrayList<>(characters.length);
        for (int character : characters) {
            list.add(Character.toString(character));
        }
        return List.copyOf(list);
    }

    @Override
    public int[] encode(String text) {
        int[] encoded = new int[text.codePointCount(0, text.length())];
        int position = 0;
        for (int i = 0; i < text.length(); position++) {
            int character = text.codePointAt(i);
            encoded[position] = token(character);
            if (encoded[position] == NONE) {
                throw new BadDataException(
                        "character %d of the text, %s, is not among the %d characters of the vocabulary; leave it out"
                                .formatted(position, describe(character), characters.length));
            }
            i += Character.charCount(character);
        }
        return encoded;
    }

    /** Appends the tokens of valid UTF-8 that has no character beyond the vocabulary. */
    void encode(byte[] text, int from, int to, TokenBuffer out) {
        for (int at = from; at < to; at += Utf8.length(text[at])) {
            int character = Utf8.codePoint(text, at);
            int token = token(character);
            if (token == NONE) {
                throw new IllegalStateException(describe(character) + " was not there when the vocabulary was made");
            }
            out.add(token);
        }
    }

    @Override
    public byte[] bytes(int token) {
        if (token < 0 || token >= characters.length) {
            throw new IllegalArgumentException("token " + token + " of a vocabulary of " + characters.length);
        }
        return Character.toString(characters[token]).getBytes(StandardCharsets.UTF_8);
    }

    /** The token of a character, or {@link #NONE}. */
    int token(int character) {
        return character < tokens.length ? tokens[character] : NONE;
    }

    private static boolean isSurrogate(int character) {
        return character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE;
    }

    private static String describe(int character) {
        String visible = Character.isISOControl(character) || isSurrogate(character)
                ? ""
                : " '" + Character.toString(character) + "'";
        return "U+%04X%s".formatted(character, visible);
    }
}
