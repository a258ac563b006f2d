package pacer.trainer.text;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** UTF-8 as bytes. */
final class Utf8 {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private Utf8() {}

    /** Bytes of the character that begins with {@code first}, in valid UTF-8. */
    static int length(byte first) {
        return first >= 0 ? 1 : first < (byte) 0xE0 ? 2 : first < (byte) 0xF0 ? 3 : 4;
    }

    /** The character at {@code at}, in valid UTF-8. */
    static int codePoint(byte[] text, int at) {
        byte first = text[at];
        if (first >= 0) {
            return first;
        }
        int second = text[at + 1] & 0x3F;
        if (first < (byte) 0xE0) {
            return (first & 0x1F) << 6 | second;
        }
        int third = text[at + 2] & 0x3F;
        if (first < (byte) 0xF0) {
            return (first & 0x0F) << 12 | second << 6 | third;
        }
        return (first & 0x07) << 18 | second << 12 | third << 6 | (text[at + 3] & 0x3F);
    }

    /** Whether a byte goes on with a character instead of beginning one. */
    static boolean isContinuation(byte b) {
        return b < (byte) 0xC0;
    }

    /** First byte of the character that ends before {@code end}, in valid UTF-8. */
    static int before(byte[] text, int end) {
        int at = end - 1;
        while (isContinuation(text[at])) {
            at--;
        }
        return at;
    }

    /**
     * First place from {@code from} on where the bytes up to {@code to} (exclusive) are no valid UTF-8 (Unicode 16,
     * table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF, nothing cut short), or {@code to}.
     */
    static int firstInvalid(byte[] text, int from, int to) {
        int i = from;
        while (i < to) {
            if (i + 8 <= to && ((long) LONG.get(text, i) & 0x8080808080808080L) == 0) {
                i += 8;
                continue;
            }
            int length = validLength(text, i, to);
            if (length == 0) {
                return i;
            }
            i += length;
        }
        return to;
    }

    /** Characters in valid UTF-8: bytes that begin one. */
    static int count(byte[] text, int from, int to) {
        int count = 0;
        for (int i = from; i < to; i++) {
            count += isContinuation(text[i]) ? 0 : 1;
        }
        return count;
    }

    /** Where character {@code index} of valid UTF-8 begins. */
    static int start(byte[] text, int index) {
        int at = 0;
        for (int i = 0; i < index; i++) {
            at += length(text[at]);
        }
        return at;
    }

    /** Bytes of the character at {@code i}, or 0 if there is none. */
    private static int validLength(byte[] text, int i, int to) {
        int first = text[i] & 0xFF;
        if (first < 0x80) {
            return 1;
        }
        int length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (first < 0xC2 || first > 0xF4 || i + length > to) {
            return 0;
        }
        int second = text[i + 1] & 0xFF;
        int low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        int high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (second < low || second > high) {
            return 0;
        }
        for (int k = 2; k < length; k++) {
            if (!isContinuation(text[i + k])) {
                return 0;
            }
        }
        return length;
    }
}
