package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReasonsTest {
    @TempDir
    private Path folder;

    @Test
    void filesAreNamedWithWhatIsWrongWithThem() {
        assertThat(Reasons.of(new AccessDeniedException("/a/b"))).isEqualTo("permission denied: /a/b");
        assertThat(Reasons.of(new NoSuchFileException("/proc/x"))).isEqualTo("no such file or folder: /proc/x");
        assertThat(Reasons.of(new FileSystemException("/a", null, "Read-only file system")))
                .isEqualTo("read-only file system: /a");
        assertThat(Reasons.of(new UncheckedIOException(new AccessDeniedException("/a/b"))))
                .isEqualTo("permission denied: /a/b");
    }

    @Test
    void causesAreToldUnlessTheMessageTellsThem() {
        assertThat(Reasons.of(new IOException("no record", new AccessDeniedException("/a"))))
                .isEqualTo("no record (permission denied: /a)");
        assertThat(Reasons.of(new IOException("no record: gone", new IOException("gone"))))
                .isEqualTo("no record: gone");
        assertThat(Reasons.of(new IllegalStateException())).isEqualTo("IllegalStateException");
    }

    @Test
    void faultsThatStayAreToldFromThoseThatMayPass() throws IOException {
        assertThat(Reasons.lasting(new IOException("x", new AccessDeniedException("/a"))))
                .isTrue();
        assertThat(Reasons.lasting(new FileSystemException("/a", null, "Read-only file system")))
                .isTrue();
        assertThat(Reasons.lasting(new FileSystemException("/a", null, "No space left on device")))
                .isFalse();
        assertThat(Reasons.lasting(new IOException("connection reset"))).isFalse();
        Path file = Files.writeString(folder.resolve("file"), "");
        try {
            Files.createDirectories(file.resolve("below"));
        } catch (IOException e) {
            assertThat(Reasons.lasting(e)).isTrue();
            assertThat(Reasons.of(e)).isEqualTo("not a directory: " + file.resolve("below"));
            return;
        }
        throw new AssertionError("a folder below a file");
    }
}
