package pacer.trainer.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class Gpt2PiecesTest {
    /** From OpenAI's encoder.py. */
    private static final Pattern EXPRESSION = Pattern.compile(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            Pattern.UNICODE_CHARACTER_CLASS);

    @Test
    void dividesAsTheRegularExpressionDoes() {
        Random random = new Random(1);
        for (int round = 0; round < 20_000; round++) {
            String text = NastyText.of(random, 1 + random.nextInt(12));
            assertThat(pieces(text))
                    .as(escaped(text))
                    .isEqualTo(EXPRESSION
                            .matcher(text)
                            .results()
                            .map(r -> r.group())
                            .toList());
        }
    }

    @Test
    void classifiesEveryCharacterAsTheRegularExpressionDoes() {
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                continue;
            }
            // between two letters and two digits each class of character divides differently
            String text = "a" + Character.toString(c) + "1 " + Character.toString(c);
            List<String> expected =
                    EXPRESSION.matcher(text).results().map(r -> r.group()).toList();
            if (!pieces(text).equals(expected)) {
                assertThat(pieces(text)).as("U+%04X", c).isEqualTo(expected);
            }
        }
    }

    @Test
    void mayBeDividedWithoutChangingAnyPiece() {
        Random random = new Random(2);
        int places = 0;
        int divided = 0;
        for (int round = 0; round < 5000; round++) {
            String text = NastyText.of(random, 2 + random.nextInt(12));
            List<String> whole = pieces(text);
            byte[] bytes = text.getBytes(UTF_8);
            for (int at = 1; at < bytes.length; at++) {
                if (Utf8.isContinuation(bytes[at])) {
                    continue;
                }
                places++;
                if (Gpt2Pieces.mayDivide(bytes, at)) {
                    divided++;
                    List<String> parts = new ArrayList<>(pieces(new String(bytes, 0, at, UTF_8)));
                    parts.addAll(pieces(new String(bytes, at, bytes.length - at, UTF_8)));
                    assertThat(parts).as("%s at byte %d", escaped(text), at).isEqualTo(whole);
                }
            }
        }
        assertThat(divided).as("of %d places", places).isGreaterThan(places / 5);
    }

    @Test
    void isNotDividedWhereWhatFollowsDecides() {
        for (String text :
                List.of("a |b", "a  |b", "a| ", "a\n|\nb", "it'|s", "x '|s", "ab|c", "12|3", "  |", "\r|\n")) {
            int at = text.indexOf('|');
            byte[] bytes = text.replace("|", "").getBytes(UTF_8);
            if (at < bytes.length) {
                assertThat(Gpt2Pieces.mayDivide(bytes, at)).as(escaped(text)).isEqualTo(text.equals("a| "));
            }
        }
    }

    private static List<String> pieces(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        List<String> pieces = new ArrayList<>();
        for (int at = 0; at < bytes.length; ) {
            int end = Gpt2Pieces.end(bytes, at, bytes.length);
            pieces.add(new String(Arrays.copyOfRange(bytes, at, end), UTF_8));
            at = end;
        }
        return pieces;
    }

    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.chars().forEach(c -> escaped.append(c > ' ' && c < 127 ? Character.toString(c) : "\\u%04x".formatted(c)));
        return escaped.toString();
    }
}
