package pacer.workflows.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** What a benchmark needs on disk while it runs; gone with it. */
record BenchFolder(Path path) implements AutoCloseable {
    private static final int ATTEMPTS = 30;

    static BenchFolder create() throws IOException {
        return new BenchFolder(Files.createTempDirectory("pacer-bench-"));
    }

    Path file(String name) {
        return path.resolve(name);
    }

    /** A new folder in it. */
    Path folder(String name) throws IOException {
        return Files.createDirectories(path.resolve(name));
    }

    @Override
    public void close() throws IOException {
        delete(path);
    }

    /** Deletes {@code folder} with all that is in it, if it is there; links are not followed. */
    static void delete(Path folder) throws IOException {
        for (int attempt = 1; Files.exists(folder); attempt++) {
            try (Stream<Path> tree = Files.walk(folder)) {
                List<Path> deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
                for (Path each : deepestFirst) {
                    Files.deleteIfExists(each);
                }
            } catch (IOException | UncheckedIOException e) {
                if (attempt == ATTEMPTS) {
                    throw new IOException(folder + " could not be deleted: " + e.getMessage(), e);
                }
                // a process that was killed may write for a moment more
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
            }
        }
    }
}
