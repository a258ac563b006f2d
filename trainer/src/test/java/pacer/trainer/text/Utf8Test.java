package pacer.trainer.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8Test {

    @Test
    void agreesWithTheJdkOnEveryShortSequenceOfTellingBytes() {
        int[] telling = {
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
            0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF
        };
        byte[] bytes = new byte[4];
        for (int length = 1; length <= 4; length++) {
            for (int code = 0; code < Math.pow(telling.length, length); code++) {
                for (int i = 0, rest = code; i < length; i++, rest /= telling.length) {
                    bytes[i] = (byte) telling[rest % telling.length];
                }
                assertThat(Utf8.firstInvalid(bytes, 0, length)).isEqualTo(firstInvalidOfJdk(bytes, length));
            }
        }
    }

    @Test
    void agreesWithTheJdkOnDamagedText() {
        Random random = new Random(5);
        for (int round = 0; round < 3000; round++) {
            byte[] bytes = NastyText.of(random, 1 + random.nextInt(20)).getBytes(UTF_8);
            for (int damage = random.nextInt(3); damage > 0; damage--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            assertThat(Utf8.firstInvalid(bytes, 0, bytes.length)).isEqualTo(firstInvalidOfJdk(bytes, bytes.length));
        }
    }

    @Test
    void readsAndCountsCharacters() {
        Random random = new Random(6);
        for (int round = 0; round < 300; round++) {
            String text = NastyText.of(random, 50);
            byte[] bytes = text.getBytes(UTF_8);
            int[] expected = text.codePoints().toArray();
            assertThat(Utf8.count(bytes, 0, bytes.length)).isEqualTo(expected.length);
            for (int i = 0; i < expected.length; i += 7) {
                assertThat(Utf8.codePoint(bytes, Utf8.start(bytes, i))).isEqualTo(expected[i]);
                assertThat(Utf8.before(bytes, i + 1 < expected.length ? Utf8.start(bytes, i + 1) : bytes.length))
                        .isEqualTo(Utf8.start(bytes, i));
            }
        }
    }

    private static int firstInvalidOfJdk(byte[] bytes, int length) {
        CharsetDecoder decoder = UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes, 0, length);
        CoderResult result = decoder.decode(in, CharBuffer.allocate(length + 1), true);
        return result.isError() ? in.position() : length;
    }
}
