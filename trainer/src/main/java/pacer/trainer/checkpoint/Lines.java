package pacer.trainer.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/** Lines of a stream, one after the other, as bytes; what comes after the last line feed is none yet. */
final class Lines {
    private final InputStream in;
    private byte[] bytes = new byte[1 << 16];
    private int begin;
    private int length;
    private int next; // where the next line begins
    private int filled;
    private int added;

    Lines(InputStream in) {
        this.in = in;
    }

    /** Goes to the next line; false where there is none. */
    boolean next() throws IOException {
        for (int at = next; ; at++) {
            if (at == filled) {
                if (!fill()) {
                    return false;
                }
                at = filled - added;
            }
            if (bytes[at] == '\n') {
                begin = next;
                length = at - begin;
                next = at + 1;
                return true;
            }
        }
    }

    /** Reads on, with the line that is begun at the beginning of the buffer. */
    private boolean fill() throws IOException {
        System.arraycopy(bytes, next, bytes, 0, filled - next);
        filled -= next;
        next = 0;
        if (filled == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * bytes.length);
        }
        added = in.read(bytes, filled, bytes.length - filled);
        filled += Math.max(0, added);
        return added > 0;
    }

    byte[] bytes() {
        return bytes;
    }

    int begin() {
        return begin;
    }

    int length() {
        return length;
    }
}
