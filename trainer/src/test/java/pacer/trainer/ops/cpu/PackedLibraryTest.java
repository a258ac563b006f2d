package pacer.trainer.ops.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.ChildJvm;

class PackedLibraryTest {
    @TempDir
    private Path folder;

    private static byte[] content(long seed) {
        byte[] content = new byte[100_000];
        new Random(seed).nextBytes(content);
        return content;
    }

    /** A jar with {@code content}, uncompressed, so that a test can damage it. */
    private URL jar(String name, byte[] content, long time) throws IOException {
        Path jar = folder.resolve(name);
        CRC32 checksum = new CRC32();
        checksum.update(content);
        ZipEntry entry = new ZipEntry("lib/libx.so");
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(checksum.getValue());
        entry.setLastModifiedTime(FileTime.fromMillis(time));
        try (OutputStream file = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(file)) {
            zip.putNextEntry(entry);
            zip.write(content);
        }
        return URI.create("jar:" + jar.toUri() + "!/lib/libx.so").toURL();
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    @Test
    void aLibraryIsUnpackedOnceAndNotReadAgain() throws Exception {
        Path target = folder.resolve("cache/libx.so");
        PackedLibrary.of(jar("a.jar", content(1), 0)).unpackTo(target);
        assertThat(target).hasBinaryContent(content(1));
        Object before = Files.readAttributes(target, "fileKey,lastModifiedTime");

        PackedLibrary.of(jar("a.jar", content(1), 0)).unpackTo(target);
        assertThat(Files.readAttributes(target, "fileKey,lastModifiedTime")).isEqualTo(before);
        assertThat(files()).containsExactly("libx.so");
    }

    @Test
    void aTornFileIsNotTaken() throws Exception {
        Path target = folder.resolve("cache/libx.so");
        PackedLibrary packed = PackedLibrary.of(jar("a.jar", content(1), 0));
        Files.createDirectories(target.getParent());
        for (int length : new int[] {0, 4096, 99_999}) {
            Files.write(target, Arrays.copyOf(content(1), length));
            packed.unpackTo(target);
            assertThat(target).hasBinaryContent(content(1));
        }
    }

    @Test
    void theNameIsOfTheContentAndOfNothingElse() throws Exception {
        String version = PackedLibrary.of(jar("a.jar", content(1), 0)).version();
        assertThat(PackedLibrary.of(jar("b.jar", content(1), 86_400_000)).version())
                .isEqualTo(version);
        assertThat(PackedLibrary.of(jar("c.jar", content(2), 0)).version()).isNotEqualTo(version);
        Path plain = Files.write(folder.resolve("plain.so"), content(1));
        assertThat(PackedLibrary.of(plain.toUri().toURL()).version()).isEqualTo(version);
    }

    @Test
    void aDamagedJarIsSaidAndLeavesNothing() throws Exception {
        URL url = jar("a.jar", content(1), 0);
        Path jar = folder.resolve("a.jar");
        byte[] bytes = Files.readAllBytes(jar);
        bytes[5000] ^= 1;
        Files.write(jar, bytes);

        assertThatThrownBy(() -> PackedLibrary.of(url).unpackTo(folder.resolve("cache/libx.so")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("a.jar!/lib/libx.so: damaged");
        assertThat(files()).isEmpty();
    }

    /** Unpacks the library at the URL that is its argument. */
    public static final class Unpacking {
        private Unpacking() {}

        public static void main(String[] args) throws IOException {
            PackedLibrary.of(URI.create(args[0]).toURL()).unpackTo(Path.of(args[1]));
        }
    }

    /** The only way to see what a power cut would leave: what the system was asked for, and in which order. */
    @Test
    void theContentIsOnDiskBeforeItHasItsName() throws Exception {
        Path trace = folder.resolve("trace");
        List<String> strace =
                List.of("strace", "-f", "-y", "-e", "trace=fsync,fdatasync,/rename", "-o", trace.toString());
        assumeTrue(works(strace), "no strace here");
        Path target = folder.resolve("cache/libx.so");
        try (ChildJvm child = ChildJvm.start(strace, Map.of(), Unpacking.class, jar("a.jar", content(1), 0), target)) {
            assertThat(child.exitCode()).as(child.errors()).isZero();
        }
        List<String> calls = Files.readAllLines(trace).stream()
                .filter(call -> call.contains(target.getParent().toString()))
                .map(call -> call.replaceAll(".*?\\b(fsync|fdatasync|rename)\\w*\\(.*", "$1"))
                .toList();
        assertThat(calls).containsExactly("fsync", "rename", "fsync");
    }

    private static boolean works(List<String> strace) throws InterruptedException {
        List<String> command = new ArrayList<>(strace);
        command.add("true");
        try {
            return new ProcessBuilder(command).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void whatIsNotOnTheClassPathIsNamed() {
        assertThatThrownBy(() -> PackedLibrary.of("org/bytedeco/none/libnone.so"))
                .hasMessage("org/bytedeco/none/libnone.so is not on the class path");
    }
}
