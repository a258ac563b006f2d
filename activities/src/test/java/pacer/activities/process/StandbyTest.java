package pacer.activities.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StandbyTest {
    @TempDir
    private Path folder;

    private final List<String> lines = new CopyOnWriteArrayList<>();

    @Test
    void theWaitingProcessIsToldItsArgumentsInOneLineAndItsErrorsGoToTheLog() throws Exception {
        try (Standby standby = standby("echo early >&2; read -r line; echo \"$line\"; echo late >&2")) {
            Path log = folder.resolve("run").resolve("trainer.log");
            Child child =
                    standby.take(List.of("--run", "a \"b\""), log, lines::add).orElseThrow();
            assertThat(child.waitFor(Duration.ofSeconds(10))).isTrue();
            child.awaitOutput();
            assertThat(lines).containsExactly("[\"--run\",\"a \\\"b\\\"\"]");
            assertThat(Files.readString(log)).isEqualTo("early\nlate\n");
            assertThat(child.lastWords(1)).containsExactly("late");
        }
    }

    @Test
    void itIsTakenOnce() throws Exception {
        try (Standby standby = standby("read line")) {
            assertThat(standby.take(List.of(), folder.resolve("log"), lines::add))
                    .isPresent();
            assertThat(standby.take(List.of(), folder.resolve("log"), lines::add))
                    .isEmpty();
        }
    }

    @Test
    void oneThatDiedIsNotGivenOutAndItsLastWordsAreKept() throws Exception {
        try (Standby standby = standby("echo broken >&2; exit 1")) {
            Path log = folder.resolve("log");
            Optional<Child> child = Optional.of(Child.start(List.of("sleep", "0.3"), Map.of(), log, lines::add));
            assertThat(child.get().waitFor(Duration.ofSeconds(10))).isTrue(); // time enough to die
            assertThat(standby.take(List.of(), log, lines::add)).isEmpty();
            for (int i = 0; i < 100 && !Files.readString(log).contains("broken"); i++) {
                Thread.sleep(20);
            }
            assertThat(Files.readString(log)).contains("broken");
        }
    }

    @Test
    void closingEndsOneThatWasNotTaken() throws Exception {
        Path pid = folder.resolve("pid");
        Standby standby = standby("echo $$ > " + pid + ".part; mv " + pid + ".part " + pid + "; exec sleep 100");
        while (!Files.exists(pid)) {
            Thread.sleep(10);
        }
        standby.close();
        ProcessHandle process =
                ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).orElse(null);
        assertThat(process == null
                        || process.onExit().orTimeout(10, TimeUnit.SECONDS).join() != null)
                .isTrue();
    }

    private static Standby standby(String script) {
        return Standby.begin(List.of("sh", "-c", script)).orElseThrow();
    }
}
