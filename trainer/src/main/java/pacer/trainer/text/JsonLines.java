package pacer.trainer.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Documents, one JSON object a line, whose field {@code text} is the document; other fields are passed over, and so
 * are blank lines. A line is at most {@link Cut#LINE}'s limit long.
 */
final class JsonLines {
    private static final String FIELD = "text";
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Cut.LINE.limit())
                    .build())
            .build();

    private JsonLines() {}

    /** Lines that are not blank; block and lines end together. */
    static int count(byte[] bytes, int length) {
        int count = 0;
        for (int from = 0; from < length; from = endOfLine(bytes, from, length)) {
            count += isBlank(bytes, from, length) ? 0 : 1;
        }
        return count;
    }

    /** All lines, a last one without a line feed too. */
    static int lines(byte[] bytes, int length) {
        int lines = length > 0 && bytes[length - 1] != '\n' ? 1 : 0;
        for (int i = 0; i < length; i++) {
            lines += bytes[i] == '\n' ? 1 : 0;
        }
        return lines;
    }

    /** Where line {@code index} of those that are not blank begins. */
    static int start(byte[] bytes, int length, int index) {
        int left = index;
        for (int from = 0; from < length; from = endOfLine(bytes, from, length)) {
            if (!isBlank(bytes, from, length) && left-- == 0) {
                return from;
            }
        }
        throw new IndexOutOfBoundsException("line " + index);
    }

    /**
     * Gives each document's UTF-8 to {@code documents}.
     *
     * @return number of lines
     * @throws BadTextException naming the line in the block
     */
    static int read(byte[] bytes, int length, Consumer<byte[]> documents) throws IOException {
        int line = 0;
        for (int from = 0; from < length; line++) {
            int end = endOfLine(bytes, from, length);
            if (!isBlank(bytes, from, length)) {
                int feed = bytes[end - 1] == '\n' ? 1 : 0;
                byte[] document = document(bytes, from, end - feed, line);
                try {
                    documents.accept(document);
                } catch (BadTextException e) {
                    throw new BadTextException(line, e.getMessage());
                }
            }
            from = end;
        }
        return line;
    }

    private static byte[] document(byte[] bytes, int from, int end, int line) throws IOException {
        int invalid = Utf8.firstInvalid(bytes, from, end);
        if (invalid < end) {
            throw new BadTextException(
                    line,
                    "byte %d of the line, 0x%02X, is no UTF-8; convert the file to UTF-8"
                            .formatted(invalid - from, bytes[invalid]));
        }
        String text = null;
        try (JsonParser json = JSON.createParser(bytes, from, end - from)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new BadTextException(line, "not a JSON object; each line must be one, as {\"text\": \"…\"}");
            }
            for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
                JsonToken value = json.nextToken();
                if (!field.equals(FIELD)) {
                    json.skipChildren();
                } else if (value == JsonToken.VALUE_STRING) {
                    text = json.getText();
                } else {
                    throw new BadTextException(line, "field \"text\" is not a string; it must hold the document");
                }
            }
            if (json.nextToken() != null) {
                throw new BadTextException(line, "more than one JSON value; write each on a line of its own");
            }
        } catch (JsonProcessingException e) {
            throw new BadTextException(
                    line,
                    "column %d: no JSON: %s"
                            .formatted(
                                    e.getLocation().getColumnNr(),
                                    e.getOriginalMessage().lines().findFirst().orElse("")));
        }
        if (text == null) {
            throw new BadTextException(line, "has no field \"text\"; each line must be a JSON object with one");
        }
        int lone = Gpt2Tokenizer.loneSurrogate(text);
        if (lone >= 0) {
            throw new BadTextException(
                    line,
                    "char %d of the text, \\u%04x, is half of a surrogate pair and no character; leave it out"
                            .formatted(lone, (int) text.charAt(lone)));
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** First byte after the line feed of the line that begins at {@code from}. */
    private static int endOfLine(byte[] bytes, int from, int length) {
        int at = from;
        while (at < length && bytes[at] != '\n') {
            at++;
        }
        return Math.min(at + 1, length);
    }

    private static boolean isBlank(byte[] bytes, int from, int length) {
        int at = from;
        while (at < length && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r')) {
            at++;
        }
        return at == length || bytes[at] == '\n';
    }
}
