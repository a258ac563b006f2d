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
                    standby.take("--run", List.of("a \"b\""), log, lines::add).orElseThrow();
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
            assertThat(standby.take("work", List.of(), folder.resolve("log"), lines::add))
                    .isPresent();
            assertThat(standby.take("work", List.of(), folder.resolve("log"), lines::add))
                    .isEmpty();
        }
    }

    @Test
    void whenItHasDoneItsWorkItStandsByForMore() throws Exception {
        String script =
                "while read -r line; do echo \"$line\"; echo \"worked on $line\" >&2; echo done; done; echo ended >&2";
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        Standby standby = standby(script);
        Child one = standby.take("one", List.of(), first, lines::add).orElseThrow();
        assertThat(one.waitFor(Duration.ofSeconds(10))).isTrue();
        one.awaitOutput();
        assertThat(one.exitValue()).isZero();
        assertThat(one.isAlive()).isFalse();
        one.terminate(); // as who ends what was begun does: it is no child of theirs any more
        one.kill();
        assertThat(one.handle().isAlive()).isTrue();
        for (int i = 0; i < 100 && !Files.exists(first); i++) {
            Thread.sleep(20); // its errors come by another pipe
        }

        Child two = standby.take("two", List.of(), second, lines::add).orElseThrow();
        assertThat(two.handle()).isEqualTo(one.handle());
        assertThat(two.waitFor(Duration.ofSeconds(10))).isTrue();
        standby.close();
        assertThat(two.handle().isAlive()).isFalse();
        assertThat(lines).containsExactly("[\"one\"]", "[\"two\"]");
        assertThat(Files.readString(first)).isEqualTo("worked on [\"one\"]\n");
        for (int i = 0; i < 100 && !Files.readString(second).contains("ended"); i++) {
            Thread.sleep(20);
        }
        assertThat(Files.readString(second)).isEqualTo("worked on [\"two\"]\nended\n");
    }

    @Test
    void oneThatFailsIsNotGivenOutAgain() throws Exception {
        try (Standby standby = standby("read -r line; exit 4")) {
            Child child = standby.take("one", List.of(), folder.resolve("log"), lines::add)
                    .orElseThrow();
            assertThat(child.exitValue()).isEqualTo(4);
            assertThat(standby.take("two", List.of(), folder.resolve("log"), lines::add))
                    .isEmpty();
        }
    }

    @Test
    void oneThatDiedIsNotGivenOutAndItsLastWordsAreKept() throws Exception {
        try (Standby standby = standby("echo broken >&2; exit 1")) {
            Path log = folder.resolve("log");
            Optional<Child> child = Optional.of(Child.start(List.of("sleep", "0.3"), Map.of(), log, lines::add));
            assertThat(child.get().waitFor(Duration.ofSeconds(10))).isTrue(); // time enough to die
            assertThat(standby.take("work", List.of(), log, lines::add)).isEmpty();
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
