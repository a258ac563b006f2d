package pacer.trainer.text;

import java.util.BitSet;

/** The distinct characters of a text. */
final class CharacterSet {
    private final boolean[] ascii = new boolean[128];
    private final BitSet others = new BitSet();

    void add(int character) {
        if (character < ascii.length) {
            ascii[character] = true;
        } else {
            others.set(character);
        }
    }

    /** Adds the characters of valid UTF-8. */
    void addAll(byte[] text, int from, int to) {
        for (int at = from; at < to; at += Utf8.length(text[at])) {
            add(Utf8.codePoint(text, at));
        }
    }

    void addAll(CharacterSet other) {
        others.or(other.others);
        for (int c = 0; c < ascii.length; c++) {
            ascii[c] |= other.ascii[c];
        }
    }

    /** The characters in code point order. */
    int[] toArray() {
        BitSet all = (BitSet) others.clone();
        for (int c = 0; c < ascii.length; c++) {
            all.set(c, ascii[c]);
        }
        return all.stream().toArray();
    }
}
