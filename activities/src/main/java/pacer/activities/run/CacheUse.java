package pacer.activities.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;

/**
 * Who uses a thing of the cache, a file or a folder, and when it was used last; in files beside it, for the cache's limit and whoever works in other
 * processes:
 *
 * <ul>
 *   <li>{@code .used}, whose time is when (not the lock's: to change that one's time means to open and close it, which would let go of the lock);
 *   <li>{@code .runs/}, a file each for the runs that have it, which names the run's folder: such a run is at work while its lease is held and,
 *       between its stages, for a day unless its record is closed;
 *   <li>{@code .datasets/}, a file each for the datasets that are being prepared from it, by their hashes: such a preparation is at work while the
 *       dataset's lock is held and, between its attempts, for a day;
 *   <li>{@code .lock}, held by who deletes it and by who is about to take it.
 * </ul>
 */
public final class CacheUse {
    static final String LOCK = ".lock";
    private static final String USED = ".used";
    private static final String RUNS = ".runs";
    private static final String DATASETS = ".datasets";
    private static final Duration BETWEEN = Duration.ofDays(1);

    private CacheUse() {}

    /** Notes that {@code thing} is used now. */
    public static void touch(Path thing) throws IOException {
        Path used = beside(thing, USED);
        Files.createDirectories(used.getParent());
        Files.write(used, new byte[0]);
        Files.setLastModifiedTime(used, FileTime.from(Instant.now()));
    }

    /** Notes that {@code run} works with {@code thing}, for who has its lock. */
    public static void by(RunFolder run, Path thing) throws IOException {
        Path marks = Files.createDirectories(beside(thing, RUNS));
        Files.writeString(marks.resolve(run.id()), run.path().toAbsolutePath().toString());
        touch(thing);
    }

    /** The same for who has not: if it is there when this returns, it stays. */
    public static void by(RunFolder run, Path thing, FileGuard.Waiting waiting)
            throws IOException, InterruptedException {
        try (FileGuard _ = FileGuard.take(beside(thing, LOCK), waiting)) {
            by(run, thing);
        }
    }

    /**
     * Keeps {@code thing}, there or not yet, for the preparation of the dataset {@code hash}, which holds that dataset's lock, until
     * {@link #prepared}: if it is there when this returns, it stays.
     */
    public static void byPreparation(String hash, Path thing, FileGuard.Waiting waiting)
            throws IOException, InterruptedException {
        try (FileGuard _ = FileGuard.take(beside(thing, LOCK), waiting)) {
            Files.write(Files.createDirectories(beside(thing, DATASETS)).resolve(hash), new byte[0]);
            touch(thing);
        }
    }

    /** The dataset {@code hash} needs what it was made from no more. */
    public static void prepared(Home home, String hash) throws IOException {
        for (Path file : list(home.downloads())) {
            if (file.getFileName().toString().endsWith(DATASETS)) {
                Files.deleteIfExists(file.resolve(hash));
            }
        }
    }

    /** Whether somebody at work has {@code thing}. */
    static boolean isInUse(Path thing, Home home, Clock clock) throws IOException {
        Instant limit = clock.instant().minus(BETWEEN);
        for (Path mark : list(beside(thing, RUNS))) {
            RunFolder run = new RunFolder(Path.of(Files.readString(mark, StandardCharsets.UTF_8)));
            if (isLeased(run) || (isAfter(mark, limit) && !isClosed(run))) {
                return true;
            }
        }
        for (Path mark : list(beside(thing, DATASETS))) {
            if (isAfter(mark, limit) || isPrepared(home.datasets().resolve(mark.getFileName()))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isAfter(Path mark, Instant limit) throws IOException {
        try {
            return Files.getLastModifiedTime(mark).toInstant().isAfter(limit);
        } catch (NoSuchFileException gone) {
            return false;
        }
    }

    private static boolean isPrepared(Path dataset) throws IOException {
        try (FileGuard free = FileGuard.tryTake(beside(dataset, LOCK)).orElse(null)) {
            return free == null;
        }
    }

    private static boolean isLeased(RunFolder run) {
        try {
            return run.exists() && run.leased();
        } catch (UncheckedIOException e) {
            return true; // another user's, perhaps
        }
    }

    private static boolean isClosed(RunFolder run) {
        try {
            return run.exists() && run.read().status() != RunStatus.RUNNING;
        } catch (IOException e) {
            return false;
        }
    }

    /** When one of {@code things} was used last, or made. */
    static Instant latest(List<Path> things) throws IOException {
        Instant latest = Instant.EPOCH;
        for (Path thing : things) {
            for (Path path : List.of(thing, beside(thing, USED))) {
                if (Files.exists(path)) {
                    Instant used = Files.getLastModifiedTime(path).toInstant();
                    latest = used.isAfter(latest) ? used : latest;
                }
            }
        }
        return latest;
    }

    /** Forgets all of it, but the lock, which its holder lets go of. */
    static void forget(Path thing) throws IOException {
        DurableFiles.deleteTree(beside(thing, RUNS));
        DurableFiles.deleteTree(beside(thing, DATASETS));
        Files.deleteIfExists(beside(thing, USED));
    }

    static Path beside(Path thing, String ending) {
        return thing.resolveSibling(thing.getFileName() + ending);
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.toList();
        } catch (NoSuchFileException none) {
            return List.of();
        }
    }
}
