package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import pacer.trainer.durable.DurableFiles;

/** A folder of one attempt's own, which goes with it; those of killed processes go with a later one. */
record Workbench(Path folder) implements AutoCloseable {
    /** Longer than any attempt takes. */
    private static final Duration LEFT = Duration.ofDays(2);

    static Workbench in(Path parent) throws IOException {
        Files.createDirectories(parent);
        Instant limit = Instant.now().minus(LEFT);
        for (Path other : list(parent)) {
            if (isOlder(other, limit)) {
                DurableFiles.deleteTree(other);
            }
        }
        return new Workbench(Files.createTempDirectory(parent, "part-"));
    }

    private static boolean isOlder(Path file, Instant limit) throws IOException {
        try {
            return Files.getLastModifiedTime(file).toInstant().isBefore(limit);
        } catch (NoSuchFileException e) {
            return false; // its owner was quicker
        }
    }

    private static List<Path> list(Path parent) throws IOException {
        try (Stream<Path> files = Files.list(parent)) {
            return files.toList();
        }
    }

    @Override
    public void close() throws IOException {
        DurableFiles.deleteTree(folder);
    }
}
