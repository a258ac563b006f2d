package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.TestRuns;
import pacer.trainer.durable.Host;
import pacer.workflows.ServiceWorker.Role;

/** Runs that are finished and published, and whose host cannot say so in their record; followed from elsewhere. */
@Timeout(120)
class UnclosedRecordTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(10), Duration.ofSeconds(5));

    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private final List<String> told = new ArrayList<>();
    private Home home;

    @BeforeEach
    void prepare() {
        home = TestRuns.home(folder);
    }

    private interface Remedy {
        void use(PipelineWorker host, RunHandle run);
    }

    /** Follows a run whose record is away once it is published; {@code then} as soon as the terminal says what it waits for. */
    private RunHandle follow(String history, Remedy then) throws Exception {
        Home elsewhere = TestRuns.home(folder.resolve("elsewhere"));
        try (PipelineWorker _ = PipelineWorker.start(
                        SERVER.connect(), TestPipelines.settings(elsewhere, QUICK), Set.of(Role.CONTROL));
                PipelineWorker host =
                        PipelineWorker.start(SERVER.connect(), TestPipelines.settings(home, QUICK), Set.of(Role.HOST));
                Pipeline client =
                        Pipeline.with(elsewhere, SERVER.connect(), TestPipelines.settings(elsewhere, QUICK), Set.of());
                TemporalConnection connection = SERVER.connect()) {
            host.hub().followAll((run, update) -> {
                if (update instanceof RunUpdate.StageEnded(StageRecord ended) && ended.stage() == Stage.PUBLISH) {
                    move(record(run), away(run));
                }
            });
            Path text = TestRuns.text(folder.resolve("text.txt"), 20);
            RunHandle run = client.start(TestPipelines.layers(text), null, null, true);
            AtomicReference<Remedy> remedy = new AtomicReference<>(then);
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.Notice(Stage stage, String notice) && stage == Stage.PUBLISH) {
                    told.add(notice);
                    Remedy first = remedy.getAndSet(null);
                    if (first != null) {
                        first.use(host, run);
                    }
                }
            });
            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
            assertThat(told)
                    .element(0)
                    .asString()
                    .startsWith("finished and published; its record alone waits for host " + Host.name()
                            + ", which could not close it: ")
                    .contains("run.json")
                    .endsWith("; mend that there: it is tried again for about a day");
            SaveHistories.keep(history, connection, run.id());
            return run;
        }
    }

    private Path record(String run) {
        return home.run(run).recordFile();
    }

    private Path away(String run) {
        return record(run).resolveSibling("away");
    }

    @Test
    void theTerminalSaysWhatItWaitsForUntilThatIsMended() throws Exception {
        RunHandle run = follow("closed-later", (_, waiting) -> move(away(waiting.id()), record(waiting.id())));

        assertThat(told).hasSize(1);
        assertThat(home.run(run.id()).read().status()).isEqualTo(RunStatus.FINISHED);
    }

    @Test
    void whereItsHostIsGoneMeanwhileTheRunIsFinishedAndTheTerminalSaysThatItsRecordIsNot() throws Exception {
        RunHandle run = follow("left-open-asked", (host, _) -> host.close());

        assertThat(told).hasSize(2);
        assertThat(told.getLast())
                .startsWith("finished: its record does not say so: host " + Host.name() + " does not answer");
        assertThat(SERVER.temporal("workflow", "describe", "-w", run.id())).contains("COMPLETED");
    }

    @Test
    void whoStopsTheWaitForTheRecordHasAFinishedRunAllTheSame() throws Exception {
        RunHandle run = follow("wait-stopped", (_, waiting) -> waiting.stop());

        assertThat(told).hasSize(2);
        assertThat(told.getLast())
                .startsWith("finished: its record does not say so: ")
                .endsWith("nobody waits for it any more: pacer resume " + run.id() + " closes it");
        assertThat(SERVER.temporal("workflow", "describe", "-w", run.id())).contains("CANCELED");
    }

    /** What is done is not done again, and what is published stays as it was. */
    @Test
    void aRunWhoseRecordWasLeftOpenIsClosedByResumingIt() throws Exception {
        RunHandle open = follow("left-open-asked", (host, _) -> host.close());
        move(away(open.id()), record(open.id()));
        RunFolder left = home.run(open.id());
        assertThat(left.read().status()).isEqualTo(RunStatus.RUNNING);
        String events = Files.readString(left.events());

        try (PipelineWorker _ = PipelineWorker.start(
                        SERVER.connect(), TestPipelines.settings(home, QUICK), EnumSet.allOf(Role.class));
                Pipeline client =
                        Pipeline.with(home, SERVER.connect(), TestPipelines.settings(home, QUICK), Set.of())) {
            RunHandle again = client.resume(open.id(), null, null);
            assertThat(again.resumed()).isTrue();
            PipelineOutcome outcome = again.result();
            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
        }
        RunRecord closed = left.read();
        assertThat(closed.status()).isEqualTo(RunStatus.FINISHED);
        assertThat(closed.stage(Stage.TRAIN))
                .hasValueSatisfying(train -> assertThat(train.reused()).isTrue());
        assertThat(Files.readString(left.events())).isEqualTo(events);
    }

    private static void move(Path from, Path to) {
        try {
            Files.move(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
