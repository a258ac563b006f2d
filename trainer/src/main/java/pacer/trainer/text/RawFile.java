package pacer.trainer.text;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import pacer.trainer.data.BadDataException;
import pacer.trainer.spec.DatasetSpec.Format;

/**
 * The file that is tokenized. It is read, not mapped, so that a file cut short meanwhile is an error and no fault of
 * memory.
 */
final class RawFile implements AutoCloseable {
    private final Path path;
    private final Format format;
    private final Whole whole;
    private final FileChannel channel;
    private final long size;
    private final FileTime modified;

    /**
     * What a file is a part of, for what is said of faults in it.
     *
     * @param name of the whole
     * @param bytes of it before this part
     * @param lines of it before this part
     */
    record Whole(String name, long bytes, long lines) {}

    RawFile(Path path, Format format) throws IOException {
        this(path, format, new Whole(path.toString(), 0, 0));
    }

    RawFile(Path path, Format format, Whole whole) throws IOException {
        this.path = path;
        this.format = format;
        this.whole = whole;
        try {
            BasicFileAttributes attributes = regular(path);
            this.size = attributes.size();
            this.modified = attributes.lastModifiedTime();
            this.channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new BadDataException(path + ": no such file; see dataset.url", e);
        } catch (AccessDeniedException e) {
            throw new BadDataException(path + ": may not be read; give this user the right to", e);
        }
    }

    /** Refuses what is no file, or an empty one. */
    static void require(Path path) throws IOException {
        new RawFile(path, Format.PARQUET).close();
    }

    private static BasicFileAttributes regular(Path path) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        if (!attributes.isRegularFile()) {
            throw new BadDataException(
                    path + ": not a regular file; it is read more than once, which a folder, FIFO or device"
                            + " does not allow");
        }
        if (attributes.size() == 0) {
            throw new BadDataException(path + ": the file is empty");
        }
        return attributes;
    }

    Format format() {
        return format;
    }

    long size() {
        return size;
    }

    BlockReader blocks(long from, long to, Cut cut, int blockBytes) {
        return new BlockReader(channel, from, to, cut, blockBytes);
    }

    /** Bytes {@code from} to {@code to} (exclusive). */
    byte[] read(long from, long to) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(to - from));
        while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {}
        if (bytes.hasRemaining()) {
            throw changed(null);
        }
        return bytes.array();
    }

    /** An error for people, of a fault in the block that begins at {@code offset} after {@code lines} lines. */
    BadDataException failed(long offset, long lines, BadTextException fault) {
        String place =
                switch (format) {
                    case TEXT -> "byte %d".formatted(whole.bytes() + offset + fault.at());
                    case JSONL -> "line %d".formatted(whole.lines() + lines + fault.at() + 1);
                    case PARQUET -> throw new IllegalStateException("read by way of JSON lines");
                };
        return new BadDataException(whole.name() + ": " + place + ": " + fault.getMessage(), fault);
    }

    /** An error that says what the file lacks. */
    BadDataException lacks(String what) {
        return new BadDataException(path + ": " + what);
    }

    /** Whether somebody wrote to the file, or took it away, since it was opened. */
    boolean hasChanged() throws IOException {
        try {
            BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
            return now.size() != size || !now.lastModifiedTime().equals(modified);
        } catch (NoSuchFileException gone) {
            return true;
        }
    }

    BadDataException changed(Exception cause) {
        return new BadDataException(
                path + ": changed while it was read; leave it alone meanwhile, and begin again", cause);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
