package pacer.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import pacer.trainer.durable.DurableFiles;

/**
 * A checkpoint that is being written, in a hidden folder beside the complete ones. Ranks, processes and threads write their files
 * independently of each other; when all have, one of them commits. Until then it does not exist for any reader.
 */
public final class CheckpointDraft {
    private final Path checkpoints;
    private final Path hidden;
    private final int step;
    private final long epoch;

    CheckpointDraft(Path checkpoints, long epoch, int step) {
        this.checkpoints = checkpoints;
        this.hidden = checkpoints.resolve("." + CheckpointStore.folderName(step) + ".epoch-" + epoch);
        this.step = step;
        this.epoch = epoch;
    }

    /** Writes one safetensors file, synced to disk, and notes its length and hash for whoever commits. */
    public FileFacts write(String name, Map<String, String> metadata, Collection<TensorSource> tensors)
            throws IOException {
        DurableFiles.createFolder(hidden);
        FileFacts facts = SafetensorsWriter.write(hidden.resolve(name), metadata, tensors);
        Files.write(note(name), Json.MAPPER.writeValueAsBytes(facts));
        return facts;
    }

    /**
     * Makes the checkpoint exist, with exactly {@code files}; each must have been written. A checkpoint of the same step that
     * is there already stays when its files are the same, its manifest brought up to date, and is replaced otherwise.
     *
     * @throws FencedException when a later epoch has begun
     */
    public Checkpoint commit(Fence fence, TrainingState state, List<String> files) throws IOException {
        if (state.step() != step || fence.epoch() != epoch) {
            throw new IllegalArgumentException("draft of step " + step + ", epoch " + epoch + " committed as step "
                    + state.step() + ", epoch " + fence.epoch());
        }
        List<FileFacts> facts = new ArrayList<>();
        for (String file : files) {
            facts.add(readNote(file));
        }
        removeAllBut(files);
        Manifest manifest = new Manifest(epoch, Instant.now(), state, facts);
        DurableFiles.write(hidden.resolve(Manifest.FILE), manifest.toJson());
        Path target = checkpoints.resolve(CheckpointStore.folderName(step));
        Path replaced = hidden.resolveSibling(hidden.getFileName() + ".replaced");
        boolean moved = fence.commit(() -> {
            if (Files.exists(target)) {
                if (hasFiles(target, facts)) {
                    bringUpToDate(target, manifest);
                    return false;
                }
                Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
            }
            DurableFiles.move(hidden, target);
            return true;
        });
        DurableFiles.deleteTree(moved ? replaced : hidden);
        return Checkpoint.read(target);
    }

    /** Deletes what was written. */
    public void abandon() throws IOException {
        DurableFiles.deleteTree(hidden);
    }

    private void removeAllBut(List<String> files) throws IOException {
        List<Path> present;
        try (Stream<Path> all = Files.list(hidden)) {
            present = all.toList();
        }
        for (Path path : present) {
            if (!files.contains(path.getFileName().toString())) {
                Files.delete(path);
            }
        }
    }

    private static boolean hasFiles(Path checkpoint, List<FileFacts> files) throws IOException {
        try {
            Checkpoint present = Checkpoint.read(checkpoint);
            if (!present.manifest().files().equals(files)) {
                return false;
            }
            present.verify();
            return true;
        } catch (InvalidFileException | NoSuchFileException e) {
            return false;
        }
    }

    /** What is known of a step may have grown: its validation loss, measured after a stop. */
    private static void bringUpToDate(Path checkpoint, Manifest manifest) throws IOException {
        if (!Checkpoint.read(checkpoint).state().equals(manifest.state())) {
            DurableFiles.write(checkpoint.resolve(Manifest.FILE), manifest.toJson());
        }
    }

    private Path note(String name) {
        return hidden.resolve("." + name + ".json");
    }

    private FileFacts readNote(String name) throws IOException {
        try {
            return Json.MAPPER.readValue(Files.readAllBytes(note(name)), FileFacts.class);
        } catch (NoSuchFileException | JsonProcessingException e) {
            throw new IOException(
                    "checkpoint of step " + step + " cannot be completed: " + hidden.resolve(name)
                            + " was not written to its end",
                    e);
        }
    }
}
