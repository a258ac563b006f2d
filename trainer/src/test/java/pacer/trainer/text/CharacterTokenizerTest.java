package pacer.trainer.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import pacer.trainer.data.BadDataException;
import pacer.trainer.spec.DatasetSpec;

class CharacterTokenizerTest {

    @Test
    void numbersCharactersInCodePointOrder() {
        CharacterSet set = new CharacterSet();
        byte[] text = "b😀a\nZ é\uffff".getBytes(UTF_8);
        set.addAll(text, 0, text.length);
        CharacterTokenizer tokenizer = CharacterTokenizer.of(set.toArray());
        assertThat(tokenizer.characters()).containsExactly("\n", " ", "Z", "a", "b", "é", "\uffff", "😀");
        assertThat(tokenizer.vocabularySize()).isEqualTo(8);
        assertThat(tokenizer.encode("😀 a")).containsExactly(7, 1, 3);
        assertThat(tokenizer.decode(7, 1, 3, 6)).isEqualTo("😀 a\uffff");
        assertThat(tokenizer.encode("")).isEmpty();
    }

    @Test
    void comesBackFromItsList() {
        List<String> characters = List.of("\u0000", "\n", "a", "é", "😀");
        Tokenizer tokenizer = Tokenizer.of(DatasetSpec.Tokenizer.CHARACTERS, characters);
        assertThat(tokenizer.characters()).isEqualTo(characters);
        assertThat(tokenizer.encode("é😀")).containsExactly(3, 4);
    }

    @Test
    void namesAnUnknownCharacterAndItsPosition() {
        CharacterTokenizer tokenizer = CharacterTokenizer.of(List.of("a", "😀"));
        assertThatThrownBy(() -> tokenizer.encode("a😀b"))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("character 2 of the text, U+0062 'b', is not among the 2 characters");
        assertThatThrownBy(() -> tokenizer.encode("\n"))
                .hasMessageContaining("U+000A, is not")
                .hasMessageNotContaining("\n");
        assertThatThrownBy(() -> tokenizer.encode("a\ud83d")).hasMessageContaining("character 1 of the text, U+D83D,");
        assertThatThrownBy(() -> tokenizer.decode(2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tokenizer.decode(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesAListThatIsNoVocabulary() {
        for (List<String> bad : Arrays.asList(
                List.<String>of(),
                List.of("a", ""),
                List.of("a", "bc"),
                List.of("b", "a"),
                List.of("a", "a"),
                List.of("\ud83d"),
                Arrays.asList("a", null))) {
            assertThatThrownBy(() -> CharacterTokenizer.of(bad))
                    .as("%s", bad)
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContaining("character vocabulary");
        }
        int[] tooMany = IntStream.range(0x10000, 0x20001).toArray();
        assertThatThrownBy(() -> CharacterTokenizer.of(tooMany))
                .hasMessageContaining("65537 characters; it must have 1 to 65536");
        assertThat(CharacterTokenizer.of(Arrays.copyOf(tooMany, 65_536)).encode("\ud83f\udfff"))
                .containsExactly(65_535);
    }
}
