package pacer.trainer.durable;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Files that are there whole or not at all, whatever is pulled out when. */
public final class DurableFiles {
    private static final String UNIQUE = "\\.[0-9a-f-]{36}\\.tmp";
    private static final Pattern TEMPORARY = Pattern.compile("\\..+" + UNIQUE);

    private DurableFiles() {}

    /**
     * Replaces {@code file} by {@code content}: written beside, fsynced, renamed, folder fsynced. At every moment there is the
     * old one or the new one, whole.
     */
    public static void write(Path file, byte[] content) throws IOException {
        write(file, out -> out.write(content));
    }

    /** Writes to a stream. */
    @FunctionalInterface
    public interface Writer {
        void write(OutputStream out) throws IOException;
    }

    /** The same for what is too much to be held in memory. */
    public static void write(Path file, Writer content) throws IOException {
        Path beside = beside(file);
        try {
            try (FileChannel channel =
                    FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
                content.write(out);
                out.flush();
                channel.force(true);
            } catch (FileSystemException e) {
                throw e; // it names the file
            } catch (IOException e) {
                throw new IOException("cannot write " + file + ": " + e.getMessage(), e);
            }
            move(beside, file);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** {@link #write} of a file whose writers take turns by a lock: deletes what one that was killed left half written of it. */
    public static void writeLocked(Path file, byte[] content) throws IOException {
        writeLocked(file, out -> out.write(content));
    }

    /** The same for what is too much to be held in memory. */
    public static void writeLocked(Path file, Writer content) throws IOException {
        Pattern half = Pattern.compile(Pattern.quote("." + file.getFileName()) + UNIQUE);
        sweep(file.toAbsolutePath().getParent(), half, Duration.ZERO);
        write(file, content);
    }

    /** Deletes what killed processes left half written in {@code folder}, if nobody has touched it for {@code age}. */
    public static void sweep(Path folder, Duration age) throws IOException {
        sweep(folder, TEMPORARY, age);
    }

    private static void sweep(Path folder, Pattern names, Duration age) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        FileTime limit = FileTime.from(Instant.now().minus(age));
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(
                            f -> names.matcher(f.getFileName().toString()).matches())
                    .toList()) {
                if (Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).compareTo(limit) <= 0) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (NoSuchFileException e) {
            return; // its writer was quicker
        }
    }

    /** A name next to {@code file} that nobody else uses. */
    public static Path beside(Path file) {
        return file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    }

    /** Renames atomically, replacing what is there, and makes the rename last. */
    public static void move(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        syncFolder(to.toAbsolutePath().getParent());
    }

    /** Makes the content of {@code file} last. */
    public static void sync(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /** Makes names created, renamed or deleted in {@code folder} last. */
    public static void syncFolder(Path folder) throws IOException {
        if (System.getProperty("os.name").startsWith("Windows")) {
            return; // a folder cannot be opened there
        }
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            throw new IOException("cannot sync folder " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Creates {@code folder} and what is missing above it, and makes their names last. */
    public static void createFolder(Path folder) throws IOException {
        Path absolute = folder.toAbsolutePath();
        if (Files.isDirectory(absolute)) {
            return;
        }
        createFolder(absolute.getParent());
        Files.createDirectories(absolute); // another rank may be creating it too
        syncFolder(absolute.getParent());
    }

    /** Deletes {@code folder} and what is in it; links are deleted, not followed; what is gone already is no error. */
    public static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
