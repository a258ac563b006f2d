package pacer.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import pacer.trainer.durable.UnreadableFileException;

/** A complete checkpoint: its folder and its manifest. */
public record Checkpoint(Path folder, Manifest manifest) {
    /** Name of the file of weights. */
    public static final String WEIGHTS = "model.safetensors";

    /** Name of the file of {@code rank}'s optimizer state. */
    public static String optimizerFile(int rank) {
        return "optimizer-rank" + rank + ".safetensors";
    }

    /** Whether it is the name of one. */
    public static boolean isOptimizerFile(String name) {
        return name.matches("optimizer-rank\\d{1,4}\\.safetensors");
    }

    public TrainingState state() {
        return manifest.state();
    }

    /** Bytes of its files, the manifest not counted. */
    public long bytes() {
        return manifest.files().stream().mapToLong(FileFacts::bytes).sum();
    }

    public Safetensors openWeights() throws IOException {
        return Safetensors.open(folder.resolve(WEIGHTS));
    }

    public Safetensors openOptimizer(int rank) throws IOException {
        return Safetensors.open(folder.resolve(optimizerFile(rank)));
    }

    /**
     * Reads every file and compares length and SHA-256 with the manifest.
     *
     * @throws InvalidFileException at the first that differs
     */
    public void verify() throws IOException {
        for (FileFacts expected : manifest.files()) {
            Path file = folder.resolve(expected.name());
            try {
                if (Files.size(file) != expected.bytes()) {
                    throw new InvalidFileException(
                            file, "length", Files.size(file) + " bytes; the manifest says " + expected.bytes());
                }
                FileFacts found = FileFacts.of(file);
                if (!found.equals(expected)) {
                    throw new InvalidFileException(
                            file, "SHA-256", found.sha256() + "; the manifest says " + expected.sha256());
                }
            } catch (NoSuchFileException missing) {
                throw new InvalidFileException(file, "file", "is missing; the manifest lists it");
            } catch (UnreadableFileException damage) {
                throw new InvalidFileException(file, "content", damage.getMessage());
            }
        }
    }

    /**
     * The checkpoint in {@code folder}; files are not verified.
     *
     * @throws IOException naming what is wrong when it is none
     */
    public static Checkpoint open(Path folder) throws IOException {
        try {
            return read(folder);
        } catch (NoSuchFileException e) {
            throw new InvalidFileException(folder, "folder", "has no manifest.json: it is no checkpoint");
        }
    }

    /**
     * The checkpoint in {@code folder}, every file {@linkplain #verify verified}.
     *
     * @throws InvalidFileException when it is none any more, or a file is not what its manifest says
     */
    public static Checkpoint openSound(Path folder) throws IOException {
        Checkpoint checkpoint = open(folder);
        checkpoint.verify();
        return checkpoint;
    }

    static Checkpoint read(Path folder) throws IOException {
        Manifest manifest = Manifest.read(folder);
        if (!folder.getFileName()
                .toString()
                .equals(CheckpointStore.folderName(manifest.state().step()))) {
            throw new InvalidFileException(
                    folder,
                    "name",
                    "the manifest inside is of step " + manifest.state().step());
        }
        return new Checkpoint(folder, manifest);
    }
}
