package pacer.activities.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.OtherJvm;

@Timeout(60)
class ChildTest {
    @TempDir
    private Path folder;

    private final List<String> lines = new CopyOnWriteArrayList<>();

    private Child start(String script) throws IOException, InterruptedException {
        return Child.start(List.of("sh", "-c", script), Map.of("GREETING", "hello"), log(), lines::add);
    }

    private Path log() {
        return folder.resolve("log");
    }

    @Test
    void handsOverItsOutputAndKeepsItsErrors() throws Exception {
        Files.writeString(log(), "of an earlier process\n");
        Child child = start("echo $GREETING; echo one >&2; echo WARNING: of the JVM >&2; echo two >&2; exit 7");

        assertThat(child.waitFor(Duration.ofSeconds(10))).isTrue();
        child.awaitOutput();
        assertThat(child.exitValue()).isEqualTo(7);
        assertThat(lines).containsExactly("hello");
        assertThat(child.lastWords(5)).containsExactly("one", "two");
        assertThat(child.lastWords(1)).containsExactly("two");
        assertThat(log()).content().startsWith("of an earlier process\none\n");
    }

    @Test
    void itsStandardInputStaysOpen() throws Exception {
        Child child = start("read line; echo ended");
        assertThat(child.waitFor(Duration.ofMillis(300))).isFalse();
        child.kill();
        assertThat(child.waitFor(Duration.ofSeconds(10))).isTrue();
        assertThat(child.exitValue()).isEqualTo(128 + 9);
    }

    @Test
    void aProgramThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> Child.start(List.of("/no/such/program"), Map.of(), log(), lines::add))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("/no/such/program does not start: ");
    }

    /** Starts two children, one that ends when asked and one that does not hear, and ends itself when told to. */
    static final class Parent {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            Path folder = Path.of(arguments[0]);
            Child polite = Child.start(
                    List.of(
                            "sh",
                            "-c",
                            "trap 'echo asked > " + folder.resolve("asked")
                                    + "; exit 3' TERM; echo up; while true; do sleep 0.05; done"),
                    Map.of(),
                    folder.resolve("child-log"),
                    line -> up(folder));
            Files.writeString(
                    folder.resolve("pid"), Long.toString(polite.handle().pid()));
            Thread.sleep(Long.MAX_VALUE);
        }

        private static void up(Path folder) {
            try {
                Files.writeString(folder.resolve("up"), "");
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void anOrderlyEndOfTheJvmAsksItsChildrenToEnd() throws Exception {
        Process parent = OtherJvm.start(Parent.class, log(), folder.toString());
        while (!Files.exists(folder.resolve("up")) || !Files.exists(folder.resolve("pid"))) {
            assertThat(parent.isAlive()).isTrue();
            Thread.sleep(10);
        }
        parent.destroy();
        assertThat(parent.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(folder.resolve("asked")).exists();
        assertThat(ProcessHandle.of(Long.parseLong(Files.readString(folder.resolve("pid"))))
                        .filter(ProcessHandle::isAlive))
                .isEmpty();
    }
}
