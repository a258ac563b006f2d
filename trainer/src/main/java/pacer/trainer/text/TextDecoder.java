package pacer.trainer.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Turns tokens into text as they come. A token may end within a character; its first bytes wait until the rest comes
 * with the next tokens. Bytes that can make no character become U+FFFD, as they do when the whole is decoded at once.
 */
public final class TextDecoder {
    private final Tokenizer tokenizer;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] waiting = {};

    public TextDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Text that is certain now; empty when the token ends within a character. */
    public String next(int token) {
        return decode(tokenizer.bytes(token), false);
    }

    /** Whatever waits still, and ready for another text. */
    public String end() {
        String rest = decode(new byte[0], true);
        decoder.reset();
        return rest;
    }

    private String decode(byte[] bytes, boolean last) {
        byte[] all = Arrays.copyOf(waiting, waiting.length + bytes.length);
        System.arraycopy(bytes, 0, all, waiting.length, bytes.length);
        ByteBuffer in = ByteBuffer.wrap(all);
        CharBuffer out = CharBuffer.allocate(all.length + 1);
        decoder.decode(in, out, last);
        waiting = Arrays.copyOfRange(all, in.position(), all.length);
        return out.flip().toString();
    }
}
