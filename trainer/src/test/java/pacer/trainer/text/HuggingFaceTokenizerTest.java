package pacer.trainer.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.data.BadDataException;
import pacer.trainer.durable.Sha256;

class HuggingFaceTokenizerTest {
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    Path folder;

    /** The digest is that of OpenAI's own file, vocab.bpe, which tiktoken pins. */
    @Test
    void mergesOfGpt2AreThoseThatOpenAiPublished() throws IOException {
        Map<String, byte[]> files = HuggingFaceTokenizer.files(Gpt2Tokenizer.instance(), 1024);
        assertThat(Sha256.of(files.get("merges.txt")))
                .isEqualTo("1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5");
        JsonNode vocabulary = JSON.readTree(files.get("vocab.json"));
        assertThat(vocabulary.size()).isEqualTo(50_257);
        assertThat(vocabulary.path("Ġthe").asInt()).isEqualTo(262);
        assertThat(vocabulary.path("<|endoftext|>").asInt()).isEqualTo(50_256);
        assertThat(JSON.readTree(files.get("tokenizer_config.json"))
                        .path("model_max_length")
                        .asInt())
                .isEqualTo(1024);
    }

    @Test
    void aFolderWithItsFilesHasGpt2sTokenizerAndOneWithoutAny() throws IOException {
        assertThat(HuggingFaceTokenizer.of(folder, 50_257)).isSameAs(Gpt2Tokenizer.instance());
        write(HuggingFaceTokenizer.files(Gpt2Tokenizer.instance(), 1024));
        assertThat(HuggingFaceTokenizer.of(folder, 50_304)).isSameAs(Gpt2Tokenizer.instance());
        assertThatThrownBy(() -> HuggingFaceTokenizer.of(folder, 257))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("config.json: the model knows 257 tokens (vocab_size), its tokenizer 50257");
    }

    /** A GPT-2 of another language has as many tokens, and would write nonsense. */
    @Test
    void anotherVocabularyOfTheSameSizeIsRefused() throws IOException {
        Map<String, byte[]> files = HuggingFaceTokenizer.files(Gpt2Tokenizer.instance(), 1024);
        ObjectNode vocabulary = (ObjectNode) JSON.readTree(files.get("vocab.json"));
        vocabulary.put("Ġthe", 263).put("Ġin", 262);
        Files.write(folder.resolve("vocab.json"), JSON.writeValueAsBytes(vocabulary));
        assertThatThrownBy(() -> HuggingFaceTokenizer.of(folder, 50_257))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("vocab.json: token 262 is not GPT-2's Ġthe");
        ObjectNode whole = JSON.createObjectNode();
        whole.putObject("model").put("type", "BPE").set("vocab", vocabulary);
        Files.write(folder.resolve("tokenizer.json"), JSON.writeValueAsBytes(whole));
        assertThatThrownBy(() -> HuggingFaceTokenizer.of(folder, 50_257))
                .hasMessageContaining("tokenizer.json: token 262 is not GPT-2's");
    }

    @Test
    void charactersComeBackAsTheyWere() throws IOException {
        List<String> characters = List.of("\n", " ", "!", "\"", "a", "ü", "🦄");
        write(HuggingFaceTokenizer.files(CharacterTokenizer.of(characters), 64));
        Tokenizer read = HuggingFaceTokenizer.of(folder, 7);
        assertThat(read.characters()).isEqualTo(characters);
        assertThatThrownBy(() -> HuggingFaceTokenizer.of(folder, 6)).hasMessageContaining("its tokenizer 7");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'a':0,'bc':1} | \"bc\": 1",
                "{'a':0,'b':2} | \"b\": 2",
                "{'a':0,'b':0} | \"b\": 0",
                "{'a':-1} | \"a\": -1",
                "{'a':'x'} | \"a\": \"x\"",
            })
    void aVocabularyOfWordsIsRefused(String vocabulary, String named) throws IOException {
        Files.writeString(
                folder.resolve("tokenizer.json"),
                "{\"model\":{\"type\":\"WordLevel\",\"vocab\":%s}}".formatted(vocabulary.replace('\'', '"')));
        assertThatThrownBy(() -> HuggingFaceTokenizer.of(folder, 10))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining(
                        "tokenizer.json: model.vocab must number single characters from 0 on; it has " + named);
    }

    private void write(Map<String, byte[]> files) throws IOException {
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Files.write(folder.resolve(file.getKey()), file.getValue());
        }
    }
}
