package pacer.activities.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import pacer.trainer.durable.Sha256;
import pacer.trainer.durable.UnreadableFileException;

/** Proves files by their digests, several at a time. */
public final class FileChecks {
    private FileChecks() {}

    /** A file and what it should be. */
    public record Expected(Path file, long bytes, String sha256) {}

    /** Hears, from several threads, how many bytes have been read, and ends the checking by throwing. */
    @FunctionalInterface
    public interface Listener {
        void read(long bytes, long ofAll);
    }

    /** Those of {@code files} that are missing or are not what they should be. */
    public static List<Expected> damaged(List<Expected> files, Listener listener)
            throws IOException, InterruptedException {
        long all = files.stream().mapToLong(Expected::bytes).sum();
        AtomicLong done = new AtomicLong();
        List<Expected> damaged = new ArrayList<>();
        try (ExecutorService readers =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            List<Future<Boolean>> sound = new ArrayList<>();
            for (Expected file : files) {
                sound.add(readers.submit(() -> isSound(file, n -> listener.read(done.addAndGet(n), all))));
            }
            try {
                for (int i = 0; i < files.size(); i++) {
                    if (!sound.get(i).get()) {
                        damaged.add(files.get(i));
                    }
                }
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case IOException io -> throw io;
                    case RuntimeException stop -> throw stop;
                    default -> throw new IllegalStateException(e.getCause());
                }
            } finally {
                readers.shutdownNow();
            }
        }
        return damaged;
    }

    private static boolean isSound(Expected expected, Sha256.Listener listener) throws IOException {
        try {
            return Files.size(expected.file()) == expected.bytes()
                    && Sha256.of(expected.file(), listener).equals(expected.sha256());
        } catch (NoSuchFileException | UnreadableFileException e) {
            return false;
        }
    }
}
