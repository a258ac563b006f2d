package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.durable.FileGuard;

@Timeout(60)
class RunLeaseTest {
    @TempDir
    private Path folder;

    private RunFolder run;

    @BeforeEach
    void open() throws IOException {
        Home home = TestRuns.home(folder);
        run = home.run(TestRuns.open(home, new RunHub(), TestRuns.text(folder.resolve("text.txt"), 1))
                .run());
    }

    /** Works on a run on behalf of a workflow until it is killed. */
    static final class Working {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            try (RunLease _ = RunLease.join(new RunFolder(Path.of(arguments[0])), arguments[1])) {
                Files.writeString(Path.of(arguments[2]), "");
                Thread.sleep(Long.MAX_VALUE);
            }
        }
    }

    private Process working(String owner) throws IOException, InterruptedException {
        Path begun = folder.resolve("begun");
        Process process =
                OtherJvm.start(Working.class, folder.resolve("log"), run.path().toString(), owner, begun.toString());
        while (!Files.exists(begun)) {
            assertThat(process.isAlive())
                    .as(Files.readString(folder.resolve("log")))
                    .isTrue();
            Thread.sleep(10);
        }
        return process;
    }

    @Test
    void stagesShareWhatTheirProcessHasAndTheLastOneGivesItBack() throws Exception {
        RunLease claim = run.tryLease().orElseThrow();
        RunLease stage = RunLease.join(run, "an execution");
        assertThat(run.tryLease()).as("a second claim").isEmpty();

        claim.close();
        assertThat(run.leased()).as("the stage still works").isTrue();
        stage.close();
        assertThat(run.leased()).isFalse();
    }

    @Test
    void aRunThatAnotherProcessWorksOnForItsServiceIsLeftToThatOne() throws Exception {
        Process other = working("theirs");
        try {
            assertThat(run.leased()).isTrue();
            assertThat(run.leasedPrivately()).as("its service can be asked").isFalse();
            assertThat(run.tryLease()).isEmpty();
            assertThatThrownBy(() -> RunLease.join(run, "ours"))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith(
                            run.path().resolve(".lease") + ": another process works on run " + run.id());
            assertThatThrownBy(() -> TestRuns.runs(TestRuns.home(folder), new RunHub())
                            .open(RunRequest.goOn(run.id()), "workflow", "ours"))
                    .hasMessageContaining("another process works on run");
        } finally {
            other.destroyForcibly().waitFor();
        }
        assertThat(run.leased()).as("it died").isFalse();
    }

    @Test
    void aWorkerWhoseServiceGaveAnotherUpIsNotKeptOutByIt() throws Exception {
        Process other = working("one execution");
        try (RunLease _ = RunLease.join(run, "one execution")) {
            assertThat(other.isAlive()).isTrue();
        } finally {
            other.destroyForcibly().waitFor();
        }
    }

    @Test
    void someoneWhoOnlyLooksForAMomentKeepsNobodyOut() throws Exception {
        FileGuard look = FileGuard.tryTake(run.path().resolve(".lease")).orElseThrow();
        Thread looker = Thread.ofPlatform().start(() -> {
            try {
                Thread.sleep(200);
                look.close();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Optional<RunLease> lease = run.tryLease();
        looker.join();
        assertThat(lease).isPresent();
        lease.get().close();
    }
}
