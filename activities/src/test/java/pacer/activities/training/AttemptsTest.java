package pacer.activities.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.RunFolder;
import pacer.trainer.durable.DurableFiles;

class AttemptsTest {
    @TempDir
    private Path folder;

    /** It named the host without its boot, and the boot with the start. */
    @Test
    void aFormerVersionsProcessesAreTakenForGone() throws Exception {
        Files.writeString(folder.resolve("attempts.json"), """
                {"attempts": [{"epoch": 1, "owner": "w", "fromStep": 0, "started": "2026-11-01T00:00:00Z",
                  "processes": [{"host": "%s", "pid": %d, "start": "boot 123"}]}]}
                """.formatted(
                        "localhost", ProcessHandle.current().pid()));
        Attempts attempts = new Attempts(new RunFolder(folder));

        assertThat(attempts.list()).hasSize(1);
        assertThat(attempts.endOrphans()).isZero();
    }

    @Test
    void whatAKilledWriterLeftIsGoneWithTheNextAttempt() throws Exception {
        Path half = Files.writeString(DurableFiles.beside(folder.resolve("attempts.json")), "half");
        Attempts attempts = new Attempts(new RunFolder(folder));
        attempts.put(new Attempts.Attempt(1, "workflow-1", 0, Instant.EPOCH, List.of(), null));
        assertThat(half).doesNotExist();
        assertThat(attempts.list()).hasSize(1);
    }
}
