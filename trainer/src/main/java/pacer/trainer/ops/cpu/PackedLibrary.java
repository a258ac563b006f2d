package pacer.trainer.ops.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * A native library as it comes in a jar. The jar's directory tells its size and checksum without a look at its content. It is unpacked
 * under a name made of these, and that name is given only when the content is on disk: so a file of the right name and size is
 * whole, also after a power cut, and 90 MB need not be read at each start to know it. A library that is not would end the JVM.
 *
 * @param checksum CRC-32 of the content
 */
record PackedLibrary(URL url, long bytes, long checksum) {

    /** @throws IOException when {@code resource} is not on the class path */
    static PackedLibrary of(String resource) throws IOException {
        URL url = PackedLibrary.class.getClassLoader().getResource(resource);
        if (url == null) {
            throw new IOException(resource + " is not on the class path");
        }
        return of(url);
    }

    static PackedLibrary of(URL url) throws IOException {
        URLConnection connection = open(url);
        try (InputStream in = connection.getInputStream()) {
            if (connection instanceof JarURLConnection jar) {
                return new PackedLibrary(
                        url, jar.getJarEntry().getSize(), jar.getJarEntry().getCrc());
            }
            // a folder of the class path, as developers have it
            CheckedInputStream checked = new CheckedInputStream(in, new CRC32());
            long bytes = checked.transferTo(OutputStream.nullOutputStream());
            return new PackedLibrary(url, bytes, checked.getChecksum().getValue());
        }
    }

    /** Tells it from every other version. */
    String version() {
        return Long.toHexString(checksum) + "-" + Long.toHexString(bytes);
    }

    /** Makes {@code target} be this library; its name must contain {@link #version}. */
    void unpackTo(Path target) throws IOException {
        if (isAt(target)) {
            return;
        }
        Files.createDirectories(target.getParent());
        Path part =
                Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
        try {
            copyTo(part);
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
        try (FileChannel folder = FileChannel.open(target.getParent(), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    private boolean isAt(Path target) throws IOException {
        try {
            return Files.size(target) == bytes;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Content first, name later: this must be on disk before it is renamed. */
    private void copyTo(Path part) throws IOException {
        try (CheckedInputStream in = new CheckedInputStream(open(url).getInputStream(), new CRC32())) {
            Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            if (in.getChecksum().getValue() != checksum || Files.size(part) != bytes) {
                throw new IOException(url + ": damaged: unpacks to " + Files.size(part) + " bytes of checksum "
                        + Long.toHexString(in.getChecksum().getValue()) + ", its jar says " + version()
                        + "; delete the jar, and build again");
            }
        }
        try (FileChannel written = FileChannel.open(part, StandardOpenOption.WRITE)) {
            written.force(true);
        }
    }

    private static URLConnection open(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        return connection;
    }
}
