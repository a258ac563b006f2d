package pacer.trainer.durable;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableFilesTest {
    @TempDir
    private Path folder;

    private List<String> names() throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void replacesWhatIsThereAndLeavesNothingElse() throws Exception {
        Path file = folder.resolve("run.json");
        DurableFiles.write(file, "one".getBytes(StandardCharsets.UTF_8));
        DurableFiles.write(file, "two".getBytes(StandardCharsets.UTF_8));

        assertThat(file).hasContent("two");
        assertThat(names()).containsExactly("run.json");
    }

    @Test
    void whoHasTheLockOfAFileDeletesWhatAKilledWriterLeftOfItAndNothingElse() throws Exception {
        Path file = folder.resolve("run.json");
        Files.writeString(DurableFiles.beside(file), "half");
        Path others = Files.writeString(DurableFiles.beside(folder.resolve("run.json.page")), "being written");
        Files.writeString(folder.resolve(".run.json.tmp"), "not ours");

        DurableFiles.writeLocked(file, "whole".getBytes(StandardCharsets.UTF_8));

        assertThat(file).hasContent("whole");
        assertThat(names())
                .containsExactlyInAnyOrder(
                        "run.json", ".run.json.tmp", others.getFileName().toString());
    }

    @Test
    void sweepsOldHalfWrittenFilesOnly() throws Exception {
        Path old = Files.writeString(DurableFiles.beside(folder.resolve("run.json")), "half");
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
        Path fresh = Files.writeString(DurableFiles.beside(folder.resolve("run.json")), "half");
        Files.writeString(folder.resolve(".lock"), "");
        Files.writeString(folder.resolve(".mine.tmp"), "not ours");

        DurableFiles.sweep(folder, Duration.ofDays(1));
        assertThat(names())
                .containsExactlyInAnyOrder(
                        ".lock", ".mine.tmp", fresh.getFileName().toString());

        DurableFiles.sweep(folder, Duration.ZERO);
        assertThat(names()).containsExactlyInAnyOrder(".lock", ".mine.tmp");
    }
}
