package pacer.trainer.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;
import java.util.Random;
import org.junit.jupiter.api.Test;
import pacer.trainer.data.BadDataException;

class Gpt2TokenizerTest {
    private static final Encoding JTOKKIT = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);

    private final Gpt2Tokenizer tokenizer = Gpt2Tokenizer.instance();

    @Test
    void givesTheTokensOfGpt2() {
        // from tiktoken 0.14
        assertThat(tokenizer.encode("Hello, world! It's 2026.\n\n  don't"))
                .containsExactly(15496, 11, 995, 0, 632, 338, 1160, 2075, 13, 628, 220, 836, 470);
        assertThat(tokenizer.vocabularySize()).isEqualTo(50257);
        assertThat(tokenizer.encode("")).isEmpty();
    }

    @Test
    void agreesWithJTokkitOnNastyText() {
        Random random = new Random(3);
        for (int round = 0; round < 4000; round++) {
            String text = NastyText.of(random, 1 + random.nextInt(40));
            assertThat(tokenizer.encode(text))
                    .as(Gpt2PiecesTest.escaped(text))
                    .isEqualTo(JTOKKIT.encodeOrdinary(text).toArray());
        }
    }

    @Test
    void agreesWithJTokkitOnLongPieces() {
        Random random = new Random(4);
        String[] alphabets = {"ab", "acgt", "etaoinshrdlu", "=", "-=", "0123456789", " ", " \n", "漢字日本", "😀👍"};
        for (int round = 0; round < 200; round++) {
            int[] alphabet = alphabets[round % alphabets.length].codePoints().toArray();
            StringBuilder text = new StringBuilder();
            for (int i = 40 + random.nextInt(round % 20 == 0 ? 5000 : 200); i > 0; i--) {
                text.appendCodePoint(alphabet[random.nextInt(alphabet.length)]);
            }
            assertThat(tokenizer.encode(text.toString()))
                    .isEqualTo(JTOKKIT.encodeOrdinary(text.toString()).toArray());
        }
    }

    @Test
    void recallsWordsExactlyWhereTheirHashesCollide() {
        Gpt2Encoder remembering = tokenizer.encoder();
        Random random = new Random(5);
        for (int round = 0; round < 200_000; round++) {
            byte[] word = new byte[3 + random.nextInt(3)];
            for (int i = 0; i < word.length; i++) {
                word[i] = (byte) ('a' + random.nextInt(26));
            }
            TokenBuffer remembered = new TokenBuffer(4);
            remembering.encode(word, 0, word.length, remembered);
            if (round % 100 == 0) {
                assertThat(remembered.toIntArray())
                        .isEqualTo(
                                JTOKKIT.encodeOrdinary(new String(word, UTF_8)).toArray());
            }
        }
    }

    @Test
    void takesTextThatSpellsTheSeparatorForText() {
        assertThat(tokenizer.encode("<|endoftext|>")).containsExactly(27, 91, 437, 1659, 5239, 91, 29);
        assertThat(tokenizer.encodePrompt("<|endoftext|>")).containsExactly(50256);
        assertThat(tokenizer.encodePrompt("a<|endoftext|><|endoftext|>b")).containsExactly(64, 50256, 50256, 65);
        assertThat(tokenizer.encodePrompt("<|endoftext| >")).isEqualTo(tokenizer.encode("<|endoftext| >"));
        assertThat(tokenizer.decode(Gpt2Tokenizer.END_OF_TEXT)).isEqualTo("<|endoftext|>");
    }

    @Test
    void decodesWhatItEncoded() {
        Random random = new Random(6);
        for (int round = 0; round < 500; round++) {
            String text = NastyText.of(random, 30);
            int[] tokens = tokenizer.encode(text);
            assertThat(tokenizer.decode(tokens)).isEqualTo(text);
            TextDecoder decoder = new TextDecoder(tokenizer);
            StringBuilder streamed = new StringBuilder();
            for (int token : tokens) {
                streamed.append(decoder.next(token));
            }
            assertThat(streamed).hasToString(text);
            assertThat(decoder.end()).isEmpty();
        }
    }

    @Test
    void keepsPartsOfACharacterUntilItIsWhole() {
        int[] tokens = tokenizer.encode("a👍🏽");
        assertThat(tokens).hasSizeGreaterThan(4);
        TextDecoder decoder = new TextDecoder(tokenizer);
        assertThat(decoder.next(tokens[0])).isEqualTo("a");
        assertThat(decoder.next(tokens[1])).isEmpty();
        assertThat(decoder.end()).isEqualTo("\ufffd");
        assertThat(decoder.next(tokens[0])).as("a new text").isEqualTo("a");
    }

    @Test
    void decodesAnyTokensAsTheirBytesDecodeAtOnce() {
        Random random = new Random(7);
        for (int round = 0; round < 2000; round++) {
            int[] tokens = random.ints(1 + random.nextInt(8), 0, 256).toArray();
            IntArrayList list = new IntArrayList();
            for (int token : tokens) {
                list.add(token);
            }
            assertThat(tokenizer.decode(tokens)).isEqualTo(JTOKKIT.decode(list));
        }
    }

    @Test
    void refusesWhatIsNoTokenAndNoCharacter() {
        assertThatThrownBy(() -> tokenizer.decode(50257))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("token 50257");
        assertThatThrownBy(() -> tokenizer.decode(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tokenizer.encode("ab\ud83dc"))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("char 2 of the text, U+D83D");
        assertThatThrownBy(() -> tokenizer.encode("x " + "a".repeat(Gpt2Encoder.LONGEST_PIECE + 1)))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("byte 1 of the text: a run of more than 1048576 bytes of one kind");
        assertThat(tokenizer.encode("a".repeat(Gpt2Encoder.LONGEST_PIECE)).length)
                .isPositive();
    }
}
