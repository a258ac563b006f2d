package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class BenchChildTest {
    @TempDir
    private Path folder;

    private BenchChild run(String script, BenchChild.Watch watch) throws IOException, InterruptedException {
        return BenchChild.run(List.of("sh", "-c", script), Map.of(), folder.resolve("log"), watch);
    }

    @Test
    void tellsOutputCodeAndTime() throws Exception {
        BenchChild child = run("echo one; echo two; echo trouble >&2; sleep 0.3; exit 4", BenchChild.Watch.NOTHING);
        assertThat(child.lines()).containsExactly("one", "two");
        assertThat(child.code()).isEqualTo(4);
        assertThat(child.seconds()).isBetween(0.3, 30.0);
        assertThat(child.peakBytes()).isEmpty();
        assertThatThrownBy(() -> child.well("the script"))
                .isInstanceOf(IOException.class)
                .hasMessage("the script ended with code 4:\n  trouble");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void memoryCountsWithThatOfDescendants() throws Exception {
        // a variable of 30 MB in a child of the child
        String grow = "x=$(head -c 30000000 /dev/zero | tr '\\\\0' a); sleep 0.6; test ${#x} = 30000000";
        BenchChild child =
                run("sh -c \"" + grow.replace("$", "\\$").replace("\"", "\\\"") + "\"", BenchChild.Watch.MEMORY);
        assertThat(child.well("the script").peakBytes().orElseThrow()).isGreaterThan(30_000_000);
    }

    @Test
    void runsInTheFolderAskedFor() throws Exception {
        Path there = Files.createDirectories(folder.resolve("a folder"));
        BenchChild child = BenchChild.run(
                BenchChild.in(there, List.of("sh", "-c", "pwd; echo \"$1\"", "sh", "an 'argument'")),
                Map.of(),
                folder.resolve("log"),
                BenchChild.Watch.NOTHING);
        assertThat(child.lines()).containsExactly(there.toRealPath().toString(), "an 'argument'");
    }

    @Test
    void anInterruptKillsIt() throws Exception {
        AtomicReference<Exception> end = new AtomicReference<>();
        Path started = folder.resolve("started");
        Thread waiting = Thread.ofPlatform().start(() -> {
            try {
                run(
                        "echo $$ >" + started + ".part; mv " + started + ".part " + started + "; exec sleep 1000",
                        BenchChild.Watch.NOTHING);
            } catch (IOException | InterruptedException e) {
                end.set(e);
            }
        });
        while (!Files.exists(started)) {
            Thread.sleep(10);
        }
        waiting.interrupt();
        waiting.join(TimeUnit.SECONDS.toMillis(20));
        assertThat(end.get()).isInstanceOf(InterruptedException.class);
        long pid = Long.parseLong(Files.readString(started).strip());
        assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
    }
}
