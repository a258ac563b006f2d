package pacer.trainer.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.data.BadDataException;

/**
 * Tokenizers as Hugging Face's {@code AutoTokenizer} finds them beside a model: GPT-2's as {@code vocab.json} and {@code merges.txt}, one of
 * characters as {@code tokenizer.json} with a token for each.
 */
public final class HuggingFaceTokenizer {
    private static final String CONFIG = "tokenizer_config.json";
    private static final String WHOLE = "tokenizer.json";
    private static final String VOCABULARY = "vocab.json";
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final long MOST_BYTES = 64 << 20;
    private static final JsonMapper JSON = new JsonMapper();

    private HuggingFaceTokenizer() {}

    /**
     * The files that describe {@code tokenizer}, by name.
     *
     * @param length tokens that the model sees, {@code model_max_length} there
     */
    public static Map<String, byte[]> files(Tokenizer tokenizer, int length) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        ObjectNode config = JSON.createObjectNode().put("model_max_length", length);
        switch (tokenizer) {
            case Gpt2Tokenizer gpt2 -> {
                files.put(VOCABULARY, JSON.writeValueAsString(vocabulary(gpt2)).getBytes(StandardCharsets.UTF_8));
                files.put("merges.txt", merges(gpt2).getBytes(StandardCharsets.UTF_8));
                for (String role : List.of("bos_token", "eos_token", "unk_token")) {
                    config.put(role, END_OF_TEXT);
                }
                config.put("tokenizer_class", "GPT2Tokenizer")
                        .put("add_prefix_space", false)
                        .put("clean_up_tokenization_spaces", false);
            }
            case CharacterTokenizer characters -> {
                files.put(WHOLE, pretty(ofCharacters(characters.characters())));
                config.put("tokenizer_class", "PreTrainedTokenizerFast").put("clean_up_tokenization_spaces", false);
            }
        }
        files.put(CONFIG, pretty(config));
        return files;
    }

    private static byte[] pretty(JsonNode json) throws IOException {
        // as text first: its bytes would have escapes for characters beyond U+FFFF, which Jackson itself does not read
        // in names
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json).getBytes(StandardCharsets.UTF_8);
    }

    /** A token for each character; what is none of them is refused there, as here. */
    private static ObjectNode ofCharacters(List<String> characters) {
        ObjectNode json = JSON.createObjectNode().put("version", "1.0");
        json.putNull("truncation");
        json.putNull("padding");
        json.putArray("added_tokens");
        json.putNull("normalizer");
        ObjectNode split = json.putObject("pre_tokenizer").put("type", "Split");
        split.putObject("pattern").put("Regex", "[\\s\\S]");
        split.put("behavior", "Isolated").put("invert", false);
        json.putNull("post_processor");
        json.putObject("decoder").put("type", "Fuse");
        ObjectNode model = json.putObject("model").put("type", "WordLevel");
        ObjectNode vocabulary = model.putObject("vocab");
        for (int token = 0; token < characters.size(); token++) {
            vocabulary.put(characters.get(token), token);
        }
        model.put("unk_token", "");
        return json;
    }

    private static Map<String, Integer> vocabulary(Gpt2Tokenizer gpt2) {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (int token = 0; token < Gpt2Tokenizer.END_OF_TEXT; token++) {
            vocabulary.put(spelled(gpt2.bytes(token)), token);
        }
        vocabulary.put(END_OF_TEXT, Gpt2Tokenizer.END_OF_TEXT);
        return vocabulary;
    }

    /** The two parts that each token of several bytes was learned from, in the order in which they were learned. */
    private static String merges(Gpt2Tokenizer gpt2) {
        StringBuilder text = new StringBuilder("#version: 0.2\n");
        for (int token = 0; token < Gpt2Tokenizer.END_OF_TEXT; token++) {
            byte[] bytes = gpt2.bytes(token);
            if (bytes.length > 1) {
                int middle = gpt2.merge(token);
                text.append(spelled(Arrays.copyOf(bytes, middle)))
                        .append(' ')
                        .append(spelled(Arrays.copyOfRange(bytes, middle, bytes.length)))
                        .append('\n');
            }
        }
        return text.toString();
    }

    /** Bytes as GPT-2's files spell them: one visible character each; those that are none follow U+0100 in their order. */
    private static String spelled(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(SPELLED[b & 0xFF]);
        }
        return text.toString();
    }

    private static final char[] SPELLED = spelling();

    private static char[] spelling() {
        char[] spelled = new char[256];
        char next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean visible = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            spelled[b] = visible ? (char) b : next++;
        }
        return spelled;
    }

    /**
     * The tokenizer of the model in {@code folder}: what its files say, where it has any, else GPT-2's.
     *
     * @param vocabulary rows of the model's token embedding
     * @throws BadDataException when it is one that is not known here
     */
    public static Tokenizer of(Path folder, int vocabulary) throws IOException {
        Tokenizer gpt2 = Gpt2Tokenizer.instance();
        Path whole = folder.resolve(WHOLE);
        if (Files.exists(whole)) {
            JsonNode model = read(whole).path("model");
            if (model.path("type").asText().equals("WordLevel")) {
                return fitting(CharacterTokenizer.of(characters(whole, model.path("vocab"))), whole, vocabulary);
            }
            requireGpt2(whole, model.path("vocab"));
        } else if (Files.exists(folder.resolve(VOCABULARY))) {
            requireGpt2(folder.resolve(VOCABULARY), read(folder.resolve(VOCABULARY)));
        }
        return fitting(gpt2, folder.resolve("config.json"), vocabulary);
    }

    private static Tokenizer fitting(Tokenizer tokenizer, Path file, int vocabulary) {
        if (vocabulary < tokenizer.vocabularySize()) {
            throw new BadDataException(file + ": the model knows " + vocabulary + " tokens (vocab_size), its tokenizer "
                    + tokenizer.vocabularySize() + "; give the folder the tokenizer's files that it was trained with");
        }
        return tokenizer;
    }

    private static JsonNode read(Path file) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new BadDataException(file + ": is longer than a tokenizer can be");
        }
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new BadDataException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static List<String> characters(Path file, JsonNode vocabulary) {
        List<String> characters = new ArrayList<>(Collections.nCopies(vocabulary.size(), null));
        for (Map.Entry<String, JsonNode> e : vocabulary.properties()) {
            int token = e.getValue().isInt() ? e.getValue().asInt() : -1;
            boolean one = e.getKey().codePointCount(0, e.getKey().length()) == 1;
            if (!one || token < 0 || token >= characters.size() || characters.get(token) != null) {
                throw new BadDataException(file + ": model.vocab must number single characters from 0 on; it has "
                        + JSON.getNodeFactory().textNode(e.getKey()) + ": " + e.getValue()
                        + ", which is not known here");
            }
            characters.set(token, e.getKey());
        }
        return characters;
    }

    private static void requireGpt2(Path file, JsonNode vocabulary) {
        Gpt2Tokenizer gpt2 = Gpt2Tokenizer.instance();
        Map<String, Integer> known = vocabulary(gpt2);
        known.remove(END_OF_TEXT); // some files have it among the added tokens
        known.forEach((text, token) -> {
            if (vocabulary.path(text).asInt(-1) != token) {
                throw new BadDataException(file + ": token " + token + " is not GPT-2's " + text
                        + ": the model has a tokenizer of its own, which is not known here");
            }
        });
    }
}
