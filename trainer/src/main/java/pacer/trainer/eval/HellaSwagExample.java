package pacer.trainer.eval;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.data.BadDataException;
import pacer.trainer.text.Tokenizer;

/** A question of HellaSwag (Zellers et al. 2019): which of four endings continues a context? */
final class HellaSwagExample {
    static final int ENDINGS = 4;

    /** The longest of the validation set has 1.3 kB. */
    private static final int MAX_LINE = 1 << 20;

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    static {
        JSON.getFactory()
                .setStreamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(8)
                        .maxStringLength(MAX_LINE)
                        .build());
    }

    private final int index;
    private final int[] context;
    private final int[][] endings;
    private final int label;

    private HellaSwagExample(int index, int[] context, int[][] endings, int label) {
        this.index = index;
        this.context = context;
        this.endings = endings;
        this.label = label;
    }

    /** Which of the file's, from 0. */
    int index() {
        return index;
    }

    /** Its tokens, not to be changed. */
    int[] context() {
        return context;
    }

    /** Tokens of each ending, with the space before it; not to be changed. */
    int[][] endings() {
        return endings;
    }

    /** Which one is right, from 0. */
    int label() {
        return label;
    }

    /** Tokens that a model sees at most to tell the endings apart: the last one predicts nothing. */
    int length() {
        int longest = 0;
        for (int[] ending : endings) {
            longest = Math.max(longest, ending.length);
        }
        return context.length - 1 + longest;
    }

    /**
     * Reads the first {@code count} lines of a file of HellaSwag's: JSON objects with {@code ctx}, {@code endings} and {@code label}.
     *
     * @param window tokens that the model sees
     * @throws BadDataException naming file, line and what is wrong there
     */
    static List<HellaSwagExample> read(Path file, int count, Tokenizer tokenizer, int window) throws IOException {
        List<HellaSwagExample> examples = new ArrayList<>();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            while (examples.size() < count) {
                int index = examples.size();
                byte[] line = line(file, index, in);
                if (line.length == 0 && in.available() == 0 && isEnd(in)) {
                    throw new BadDataException(
                            "%s has %,d examples, hellaSwag.examples asks for %,d; lower it, or fetch the file anew"
                                    .formatted(file, index, count));
                }
                examples.add(example(file, index, line, tokenizer, window));
            }
        }
        return examples;
    }

    private static boolean isEnd(InputStream in) throws IOException {
        in.mark(1);
        boolean end = in.read() < 0;
        in.reset();
        return end;
    }

    private static byte[] line(Path file, int index, InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
            line.write(b);
            if (line.size() > MAX_LINE) {
                throw fault(file, index, "is longer than %,d bytes".formatted(MAX_LINE));
            }
        }
        return line.toByteArray();
    }

    private static HellaSwagExample example(Path file, int index, byte[] line, Tokenizer tokenizer, int window) {
        JsonNode node;
        try {
            node = JSON.readTree(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(line))
                    .toString());
        } catch (CharacterCodingException e) {
            throw fault(file, index, "is no UTF-8");
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw fault(
                    file,
                    index,
                    "is no JSON object: " + e.getOriginalMessage()
                            + (at == null ? "" : ", at column " + at.getColumnNr()));
        }
        if (!node.isObject()) {
            throw fault(file, index, line.length == 0 ? "is blank" : "is no JSON object");
        }
        JsonNode label = node.path("label");
        if (!label.isInt() || label.intValue() < 0 || label.intValue() >= ENDINGS) {
            throw fault(file, index, "label " + told(label) + " must be a number from 0 to " + (ENDINGS - 1));
        }
        JsonNode endings = node.path("endings");
        if (!endings.isArray() || endings.size() != ENDINGS) {
            throw fault(
                    file,
                    index,
                    "must have " + ENDINGS + " endings, has " + (endings.isArray() ? endings.size() : "none"));
        }
        int[] context = tokens(file, index, "ctx", node.path("ctx"), "", tokenizer);
        int[][] each = new int[ENDINGS][];
        for (int i = 0; i < ENDINGS; i++) {
            // as llm.c's hellaswag.py has it: GPT-2's tokens begin with their space
            each[i] = tokens(file, index, "ending " + i, endings.get(i), " ", tokenizer);
        }
        HellaSwagExample example = new HellaSwagExample(index, context, each, label.intValue());
        if (example.length() > window) {
            throw fault(
                    file,
                    index,
                    "takes %,d tokens, the model sees %,d; raise model.sequenceLength, or lower hellaSwag.examples to %,d"
                            .formatted(example.length(), window, index));
        }
        return example;
    }

    private static int[] tokens(Path file, int index, String field, JsonNode node, String before, Tokenizer tokenizer) {
        if (!node.isTextual() || node.textValue().isBlank()) {
            throw fault(file, index, field + " " + told(node) + " must be a text");
        }
        String text = node.textValue();
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw fault(file, index, field + " has half a character, a lone surrogate");
        }
        try {
            return tokenizer.encode(before + text);
        } catch (BadDataException e) {
            throw new BadDataException(place(file, index) + field + ": " + e.getMessage(), e);
        }
    }

    private static String told(JsonNode node) {
        String text = node.isMissingNode() ? "(missing)" : node.toString();
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }

    private static BadDataException fault(Path file, int index, String what) {
        return new BadDataException(place(file, index) + what + "; fetch the file anew, or mend the line");
    }

    private static String place(Path file, int index) {
        return file + ", line " + (index + 1) + ": ";
    }
}
