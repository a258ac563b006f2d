package pacer.workflows.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.Ports;

class LocalStackTest {
    @TempDir
    private Path folder;

    /** Temporal finds ports for its parts itself, and dies where another program is faster. */
    @Test
    void aServerThatLosesARaceForAPortIsStartedAgain() throws Exception {
        server(
                "echo started; [ -e again ] && exit 1; touch again; echo 'bind: address already in use'; echo 'a trace'; exit 2");
        assertThatThrownBy(this::up).isInstanceOf(IOException.class).hasMessageContaining("s3 ended");
        assertThat(log()).filteredOn("started"::equals).hasSize(2);
    }

    @Test
    void aServerThatEndsForAnotherReasonIsNot() throws Exception {
        server("echo started; echo 'no such folder'; exit 2");
        assertThatThrownBy(this::up).isInstanceOf(IOException.class).hasMessageContaining("no such folder");
        assertThat(log()).filteredOn("started"::equals).hasSize(1);
    }

    private void server(String script) throws IOException {
        Path program = Files.createDirectories(folder.resolve("tools")).resolve("versitygw");
        Files.writeString(program, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    }

    private void up() throws IOException, InterruptedException {
        new LocalStack(Map.of("PACER_STACK", folder.toString()))
                .up("127.0.0.1", List.of("s3=" + Ports.free()), standing -> {});
    }

    private List<String> log() throws IOException {
        return Files.readAllLines(folder.resolve("logs").resolve("s3.log"));
    }
}
