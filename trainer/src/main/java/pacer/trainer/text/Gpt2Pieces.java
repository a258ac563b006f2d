package pacer.trainer.text;

/**
 * How GPT-2 divides text before it merges bytes: tokens never reach over the end of a piece. It is this regular
 * expression, by hand and over UTF-8, because the expression takes most of the time of an encoder that uses it:
 *
 * <pre>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</pre>
 *
 * Text must be valid UTF-8.
 */
final class Gpt2Pieces {
    private static final byte LETTER = 0;
    private static final byte NUMBER = 1;
    private static final byte SPACE = 2;
    private static final byte OTHER = 3;

    /** Class of each character of the basic plane. */
    private static final byte[] CLASSES = new byte[1 << 16];

    static {
        for (int c = 0; c < CLASSES.length; c++) {
            CLASSES[c] = classOf(c);
        }
    }

    private Gpt2Pieces() {}

    /** End of the piece that begins at {@code from}, in text that ends before {@code to}. */
    static int end(byte[] text, int from, int to) {
        int start = from;
        byte first = text[from];
        if (first == ' ' && from + 1 < to) {
            start++;
        } else if (first == '\'') {
            int contraction = contraction(text, from, to);
            if (contraction > 0) {
                return from + contraction;
            }
        }
        byte kind = kind(text, start);
        return kind == SPACE ? endOfSpace(text, from, to) : endOfRun(text, start, to, kind);
    }

    /**
     * Whether a piece ends at {@code at} whatever stands before and after the two characters there, so that the text
     * may be divided there and its parts encoded apart. That is so between characters of different classes, the first
     * of which is
     *
     * <ul>
     *   <li>no space: whether a run of spaces is one piece, or leaves its last to what follows, depends on what
     *       follows;
     *   <li>no apostrophe before a letter: they may be a contraction.
     * </ul>
     *
     * @param at begins a character, and is not the first of the text
     */
    static boolean mayDivide(byte[] text, int at) {
        int before = Utf8.before(text, at);
        byte kind = kind(text, before);
        byte next = kind(text, at);
        return kind != SPACE && kind != next && !(text[before] == '\'' && next == LETTER);
    }

    private static int contraction(byte[] text, int from, int to) {
        if (from + 1 >= to) {
            return 0;
        }
        byte second = text[from + 1];
        if (second == 's' || second == 't' || second == 'm' || second == 'd') {
            return 2;
        }
        if (from + 2 >= to) {
            return 0;
        }
        byte third = text[from + 2];
        boolean matches =
                switch (second) {
                    case 'r', 'v' -> third == 'e';
                    case 'l' -> third == 'l';
                    default -> false;
                };
        return matches ? 3 : 0;
    }

    private static int endOfRun(byte[] text, int from, int to, byte kind) {
        int at = from;
        while (at < to) {
            byte b = text[at];
            if (b >= 0) {
                if (CLASSES[b] != kind) {
                    return at;
                }
                at++;
            } else if (kind(text, at) == kind) {
                at += Utf8.length(b);
            } else {
                return at;
            }
        }
        return to;
    }

    /**
     * All spaces at the end of the text; else all but the last, which goes with what follows; a single one by itself.
     */
    private static int endOfSpace(byte[] text, int from, int to) {
        int end = endOfRun(text, from, to, SPACE);
        if (end == to) {
            return to;
        }
        int last = Utf8.before(text, end);
        return last == from ? end : last;
    }

    private static byte kind(byte[] text, int at) {
        byte b = text[at];
        if (b >= 0) {
            return CLASSES[b];
        }
        int c = Utf8.codePoint(text, at);
        return c < CLASSES.length ? CLASSES[c] : classOf(c);
    }

    private static byte classOf(int c) {
        return switch (Character.getType(c)) {
            case Character.UPPERCASE_LETTER,
                    Character.LOWERCASE_LETTER,
                    Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER,
                    Character.OTHER_LETTER -> LETTER;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            default -> (c >= '\t' && c <= '\r') || c == 0x85 ? SPACE : OTHER;
        };
    }
}
