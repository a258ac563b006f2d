package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunIndexTest {
    @TempDir
    private Path runs;

    private RunIndex index;

    @BeforeEach
    void index() {
        index = new RunIndex(runs);
    }

    private RunFolder run(String id, String hash, RunStatus status, int second) throws IOException {
        RunFolder folder = new RunFolder(runs.resolve(id));
        Instant created = Instant.parse("2026-11-22T10:00:00Z").plusSeconds(second);
        folder.create(
                new RunRecord(
                        id,
                        "quickstart",
                        hash,
                        null,
                        status,
                        created,
                        null,
                        null,
                        TestRuns.MACHINE,
                        List.of(),
                        null,
                        null),
                "");
        return folder;
    }

    @Test
    void theNewestRunComesFirst() throws Exception {
        run("quickstart-b", "1", RunStatus.FINISHED, 1);
        run("quickstart-a", "1", RunStatus.FINISHED, 3);
        run("quickstart-c", "1", RunStatus.FINISHED, 2);
        Files.createDirectory(runs.resolve("no-run"));

        assertThat(index.list())
                .extracting(e -> e.record().id())
                .containsExactly("quickstart-a", "quickstart-c", "quickstart-b");
    }

    @Test
    void goesOnOnlyWithAnUnfinishedRunOfTheSameSpecThatNobodyWorksOn() throws Exception {
        run("old", "1", RunStatus.STOPPED, 1);
        RunFolder other = run("other", "2", RunStatus.RUNNING, 5);
        run("finished", "1", RunStatus.FINISHED, 6);
        RunFolder failed = run("failed", "1", RunStatus.FAILED, 2);
        RunFolder busy = run("busy", "1", RunStatus.RUNNING, 3);

        try (RunLease _ = busy.tryLease().orElseThrow()) {
            assertThat(free("1")).contains(failed);
            assertThat(newest("1", run -> true)).contains(busy);
            assertThat(toResume(run -> !run.folder().leased())).contains(other);
        }
        assertThat(free("1")).contains(busy);
        assertThat(free("3")).isEmpty();
    }

    @Test
    void aRunThatFailedIsGoneOnWithOnlyWhereNoneWasCutOff() throws Exception {
        RunFolder failed = run("failed", "1", RunStatus.FAILED, 3);
        assertThat(toResume(run -> true)).contains(failed);
        RunFolder stopped = run("stopped", "2", RunStatus.STOPPED, 1);
        assertThat(toResume(run -> true)).contains(stopped);
    }

    @Test
    void aRunWhoseRecordCannotBeReadIsNamed() throws Exception {
        run("sound", "1", RunStatus.FINISHED, 1);
        RunFolder damaged = run("damaged", "1", RunStatus.FINISHED, 2);
        Files.writeString(damaged.recordFile(), "{");
        List<String> unreadable = new ArrayList<>();
        assertThat(index.list(unreadable::add)).hasSize(1);
        assertThat(unreadable).containsExactly("damaged");
    }

    private Optional<RunFolder> free(String specHash) throws IOException {
        return newest(specHash, run -> !run.folder().leased());
    }

    private Optional<RunFolder> newest(String specHash, Predicate<RunIndex.Entry> what) throws IOException {
        return index.unfinished().stream()
                .filter(e -> e.record().specHash().equals(specHash) && e.is(what))
                .map(RunIndex.Entry::folder)
                .findFirst();
    }

    private Optional<RunFolder> toResume(Predicate<RunIndex.Entry> free) throws IOException {
        return RunIndex.toResume(index.unfinished(), free).map(RunIndex.Entry::folder);
    }

    @Test
    void aRunIsFoundByNameBeginningLastAndPath() throws Exception {
        run("quickstart-20261122-100000", "1", RunStatus.FINISHED, 1);
        run("quickstart-20261122-100000-2", "1", RunStatus.FINISHED, 2);
        run("shakespeare-20261122-100000", "1", RunStatus.FINISHED, 3);

        assertThat(index.find("quickstart-20261122-100000").record().id()).isEqualTo("quickstart-20261122-100000");
        assertThat(index.find("sh").record().id()).isEqualTo("shakespeare-20261122-100000");
        assertThat(index.find("last").record().id()).isEqualTo("shakespeare-20261122-100000");
        assertThat(index.find(runs.resolve("quickstart-20261122-100000-2").toString())
                        .record()
                        .id())
                .isEqualTo("quickstart-20261122-100000-2");
        assertThatThrownBy(() -> index.find("quick"))
                .hasMessage(
                        "run 'quick': several begin so; there is quickstart-20261122-100000-2, quickstart-20261122-100000");
        assertThatThrownBy(() -> index.find("x"))
                .hasMessageStartingWith("run 'x': none in " + runs + "; there is shake");
    }

    /** Temporal's UI shows that id, and who starts a run there chooses it. */
    @Test
    void aRunIsFoundByTheIdOfItsWorkflow() throws Exception {
        run("quickstart-20261122-100000", "1", RunStatus.FINISHED, 1)
                .update(r -> r.begun("first try", TestRuns.MACHINE));
        run("quickstart-20261122-100001", "1", RunStatus.RUNNING, 2)
                .update(r -> r.begun("first try", TestRuns.MACHINE));
        run("quickstart-20261122-100002", "1", RunStatus.RUNNING, 3).update(r -> r.begun("another", TestRuns.MACHINE));
        assertThat(index.find("first try").record().id()).as("the newest").isEqualTo("quickstart-20261122-100001");
        assertThatThrownBy(() -> index.find("first")).hasMessageStartingWith("run 'first': none in " + runs);
    }

    @Test
    void namesThatAreNoFoldersAreRefused() {
        for (String id : List.of("", "../x", "a/b", ".hidden", "a\nb", "x".repeat(121), "a%2fb", "<b>")) {
            assertThatThrownBy(() -> RunId.check(id)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(RunId.check("quickstart-20261122-150203")).isEqualTo("quickstart-20261122-150203");
    }

    @Test
    void noFolderOfRunsIsNoRuns() throws Exception {
        assertThat(new RunIndex(runs.resolve("nowhere")).list()).isEmpty();
    }
}
