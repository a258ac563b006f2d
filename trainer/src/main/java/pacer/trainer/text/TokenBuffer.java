package pacer.trainer.text;

import java.util.Arrays;

/** Tokens as unsigned 16-bit numbers, in an array that grows. */
final class TokenBuffer {
    private char[] tokens;
    private int size;

    TokenBuffer(int capacity) {
        this.tokens = new char[capacity];
    }

    void add(int token) {
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(16, size + (size >> 1)));
        }
        tokens[size++] = (char) token;
    }

    int size() {
        return size;
    }

    /** The tokens; those from {@link #size} on mean nothing. */
    char[] array() {
        return tokens;
    }

    int[] toIntArray() {
        int[] ints = new int[size];
        for (int i = 0; i < size; i++) {
            ints[i] = tokens[i];
        }
        return ints;
    }
}
