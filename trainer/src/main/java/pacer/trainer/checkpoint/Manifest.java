package pacer.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import pacer.trainer.durable.Sha256;

/**
 * {@code manifest.json} of a checkpoint: there only when everything it lists is. Beside the components below the file holds
 * {@code checksum}, the SHA-256 of all else in it, so that a flipped bit cannot change a count unseen.
 *
 * @param formatVersion 1; a reader refuses what it does not know
 * @param epoch the attempt that committed it
 * @param time when
 * @param state the training at that step
 * @param files every file of the folder but this one
 */
public record Manifest(int formatVersion, long epoch, Instant time, TrainingState state, List<FileFacts> files) {
    /** Its name. */
    public static final String FILE = "manifest.json";

    private static final int VERSION = 1;
    private static final String CHECKSUM = "checksum";
    private static final long MAX_BYTES = 1 << 24;

    public Manifest {
        if (state == null || time == null || files == null || files.isEmpty()) {
            throw new IllegalArgumentException("a manifest needs time, state and files");
        }
        files = List.copyOf(files);
    }

    Manifest(long epoch, Instant time, TrainingState state, List<FileFacts> files) {
        this(VERSION, epoch, time, state, files);
    }

    /** The JSON text, checksum included. */
    byte[] toJson() throws IOException {
        ObjectNode json = Json.MAPPER.valueToTree(this);
        json.put(CHECKSUM, checksum(json));
        return Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
    }

    /**
     * Reads the manifest of {@code folder}.
     *
     * @throws java.nio.file.NoSuchFileException when there is none: the folder is no checkpoint
     * @throws InvalidFileException when it is damaged
     * @throws IOException also when it is of a later format
     */
    static Manifest read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new InvalidFileException(
                    file, "file", "has " + size + " bytes; at most " + MAX_BYTES + " are allowed");
        }
        try {
            if (!(Json.MAPPER.readTree(Files.readAllBytes(file)) instanceof ObjectNode json)) {
                throw new InvalidFileException(file, "content", "must be a JSON object");
            }
            JsonNode stored = json.remove(CHECKSUM);
            if (stored == null || !stored.asText().equals(checksum(json))) {
                throw new InvalidFileException(
                        file, CHECKSUM, "does not match the content: the file was changed or damaged");
            }
            if (json.path("formatVersion").asInt() != VERSION) {
                throw new IOException(file + ": formatVersion: is " + json.path("formatVersion")
                        + "; this version of pacer reads " + VERSION + ": use the one that wrote it, or a later one");
            }
            return Json.MAPPER.treeToValue(json, Manifest.class);
        } catch (JsonProcessingException e) {
            throw new InvalidFileException(file, Json.place(e), e.getOriginalMessage());
        }
    }

    private static String checksum(ObjectNode json) throws JsonProcessingException {
        return Sha256.of(Json.MAPPER.writeValueAsBytes(json));
    }
}
