package pacer.trainer.text;

import java.util.List;
import pacer.trainer.data.BadDataException;
import pacer.trainer.spec.DatasetSpec;

/** Text to tokens and back. Immutable, and safe for use by several threads. */
public sealed interface Tokenizer permits CharacterTokenizer, Gpt2Tokenizer {

    /**
     * The tokenizer of a dataset.
     *
     * @param vocabulary what {@link #characters} gave when the dataset was made; not looked at for GPT-2
     * @throws BadDataException if the vocabulary is none
     */
    static Tokenizer of(DatasetSpec.Tokenizer kind, List<String> vocabulary) {
        return switch (kind) {
            case CHARACTERS -> CharacterTokenizer.of(vocabulary);
            case GPT2 -> Gpt2Tokenizer.instance();
        };
    }

    /** Number of tokens; they are numbered from 0. */
    int vocabularySize();

    /**
     * The characters that a character vocabulary consists of, each a string, in the order of their tokens, for a
     * dataset's manifest and a checkpoint; empty for GPT-2, whose vocabulary is always the same.
     */
    List<String> characters();

    /**
     * Tokens of a text. Text that spells a special token, such as {@code <|endoftext|>}, is text like any other.
     *
     * @throws BadDataException naming character and position, if the text has one that cannot be encoded
     */
    int[] encode(String text);

    /** Tokens of a prompt, in which a special token that is spelled is meant. */
    default int[] encodePrompt(String text) {
        return encode(text);
    }

    /**
     * UTF-8 bytes of a token, which may be a part of a character only.
     *
     * @throws IllegalArgumentException if there is no such token
     */
    byte[] bytes(int token);

    /** Text of tokens; bytes that make no character become U+FFFD. */
    default String decode(int... tokens) {
        TextDecoder decoder = new TextDecoder(this);
        StringBuilder text = new StringBuilder();
        for (int token : tokens) {
            text.append(decoder.next(token));
        }
        return text.append(decoder.end()).toString();
    }
}
