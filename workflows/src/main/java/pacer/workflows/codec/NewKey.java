package pacer.workflows.codec;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.LocalDate;
import java.util.Base64;
import java.util.Set;
import pacer.activities.run.BadInputException;

/** Makes keys of payloads. */
public final class NewKey {
    private NewKey() {}

    /**
     * Makes {@code file} with a key, or adds one at its end, where it decrypts only: all who decrypt must have it before it encrypts.
     *
     * @return its id
     * @throws BadInputException when the file is there and is none of keys
     */
    public static String add(Path file, LocalDate today) throws IOException {
        boolean there = Files.exists(file);
        Set<String> taken = there ? PayloadKeys.read(file).ids() : Set.of();
        String id = today.toString();
        for (int i = 2; taken.contains(id); i++) {
            id = today + "-" + i;
        }
        byte[] key = new byte[PayloadKeys.BYTES];
        new SecureRandom().nextBytes(key);
        String line = id + " " + Base64.getEncoder().encodeToString(key) + "\n";
        if (there) {
            write(file, (endsLine(file) ? "" : "\n") + line, Set.of(StandardOpenOption.APPEND));
        } else {
            Path folder = file.toAbsolutePath().getParent();
            boolean posix =
                    Files.isDirectory(folder) && Files.getFileStore(folder).supportsFileAttributeView("posix");
            write(
                    file,
                    line,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    posix
                            ? new FileAttribute<?>[] {
                                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                            }
                            : new FileAttribute<?>[0]);
        }
        return id;
    }

    private static boolean endsLine(Path file) throws IOException {
        return Files.readString(file).endsWith("\n");
    }

    private static void write(Path file, String text, Set<StandardOpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        try (FileChannel channel = FileChannel.open(file, options, attributes)) {
            ByteBuffer left = StandardCharsets.UTF_8.encode(text);
            while (left.hasRemaining()) {
                channel.write(left);
            }
            channel.force(true);
        } catch (NoSuchFileException e) {
            throw new BadInputException(file + ": its folder is not there; make it first", e);
        }
    }
}
