package pacer.trainer.parity;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import pacer.trainer.checkpoint.InvalidFileException;

/** The description of a trace, read strictly: what is missing or of another type is named with its place. */
record TraceJson(Path file, JsonNode root) {

    /** What the trace is called by. */
    String name() {
        return file.getFileName().toString().replace(".json", "");
    }

    JsonNode at(String pointer) throws InvalidFileException {
        JsonNode node = root.at(pointer);
        if (node.isMissingNode()) {
            throw new InvalidFileException(file, pointer, "is missing");
        }
        return node;
    }

    int integer(String pointer) throws InvalidFileException {
        JsonNode node = at(pointer);
        if (!node.canConvertToInt() || !node.isIntegralNumber()) {
            throw new InvalidFileException(file, pointer, node + " is no integer");
        }
        return node.intValue();
    }

    double number(String pointer) throws InvalidFileException {
        JsonNode node = at(pointer);
        if (!node.isNumber()) {
            throw new InvalidFileException(file, pointer, node + " is no number");
        }
        return node.doubleValue();
    }

    boolean flag(String pointer) throws InvalidFileException {
        JsonNode node = at(pointer);
        if (!node.isBoolean()) {
            throw new InvalidFileException(file, pointer, node + " is neither true nor false");
        }
        return node.booleanValue();
    }

    String text(String pointer) throws InvalidFileException {
        JsonNode node = at(pointer);
        if (!node.isTextual()) {
            throw new InvalidFileException(file, pointer, node + " is no text");
        }
        return node.textValue();
    }

    /** Fails unless the text at {@code pointer} is {@code expected}. */
    void require(String pointer, String expected) throws InvalidFileException {
        String actual = text(pointer);
        if (!actual.equals(expected)) {
            throw new InvalidFileException(file, pointer, "\"" + actual + "\"; this replay knows \"" + expected + "\"");
        }
    }
}
