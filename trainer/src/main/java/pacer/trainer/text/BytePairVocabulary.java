package pacer.trainer.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * GPT-2's byte-pair tokens. A token's number is also its rank: of two neighbouring pairs, the one whose union has the
 * smaller number was learned first and is merged first. The list is the one that JTokkit carries (OpenAI's
 * {@code r50k_base}).
 */
final class BytePairVocabulary {
    /** Tokens made of bytes; {@code <|endoftext|>} comes after them. */
    static final int SIZE = 50_256;

    /** No such token. */
    static final int NONE = Integer.MAX_VALUE;

    private static final String RESOURCE = "/com/knuddels/jtokkit/r50k_base.tiktoken";
    private static final int HASH_BITS = 17;
    private static final int SLOTS = 1 << HASH_BITS;

    private final byte[] bytes; // of all tokens, one after the other
    private final int[] start = new int[SIZE + 1]; // token t is bytes start[t] to start[t + 1]
    private final int[] slots = new int[SLOTS]; // open addressing: token + 1, 0 where free
    private final int[] pairs = new int[1 << 16]; // token of two bytes

    private BytePairVocabulary(byte[] bytes, int[] start) {
        this.bytes = bytes;
        System.arraycopy(start, 0, this.start, 0, start.length);
        Arrays.fill(pairs, NONE);
        for (int token = 0; token < SIZE; token++) {
            int slot = hash(bytes, start[token], start[token + 1]);
            while (slots[slot] != 0) {
                slot = (slot + 1) & (SLOTS - 1);
            }
            slots[slot] = token + 1;
            if (start[token + 1] - start[token] == 2) {
                pairs[pair(bytes, start[token])] = token;
            }
        }
    }

    /** Reads the list. */
    static BytePairVocabulary load() {
        int[] start = new int[SIZE + 1];
        byte[] bytes = new byte[1 << 19];
        int token = 0;
        try (InputStream in = BytePairVocabulary.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException("JTokkit's jar is not on the class path, or has no " + RESOURCE);
            }
            BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.ISO_8859_1));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int space = line.indexOf(' ');
                byte[] decoded = Base64.getDecoder().decode(line.substring(0, space));
                if (Integer.parseInt(line, space + 1, line.length(), 10) != token) {
                    throw new IllegalStateException(
                            RESOURCE + ": line " + (token + 1) + " has another number: " + line);
                }
                System.arraycopy(decoded, 0, bytes, start[token], decoded.length);
                start[token + 1] = start[token] + decoded.length;
                token++;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(RESOURCE + ": " + e.getMessage(), e);
        }
        if (token != SIZE) {
            throw new IllegalStateException(RESOURCE + " has " + token + " tokens, GPT-2 " + SIZE);
        }
        return new BytePairVocabulary(Arrays.copyOf(bytes, start[SIZE]), start);
    }

    /** The token made of bytes {@code from} to {@code to} (exclusive), or {@link #NONE}. */
    int token(byte[] text, int from, int to) {
        for (int slot = hash(text, from, to); slots[slot] != 0; slot = (slot + 1) & (SLOTS - 1)) {
            int token = slots[slot] - 1;
            if (Arrays.equals(bytes, start[token], start[token + 1], text, from, to)) {
                return token;
            }
        }
        return NONE;
    }

    /** The token made of the two bytes at {@code from}, or {@link #NONE}. */
    int token(byte[] text, int from) {
        return pairs[pair(text, from)];
    }

    /** The bytes of a token. */
    byte[] bytes(int token) {
        return Arrays.copyOfRange(bytes, start[token], start[token + 1]);
    }

    private static int pair(byte[] text, int from) {
        return (text[from] & 0xFF) << 8 | (text[from + 1] & 0xFF);
    }

    /** A hash of {@link #HASH_BITS} bits. */
    static int hash(byte[] text, int from, int to) {
        int h = to - from;
        for (int i = from; i < to; i++) {
            h = h * 31 + text[i];
        }
        return (h * 0x9E3779B9) >>> (Integer.SIZE - HASH_BITS);
    }
}
