package pacer.activities.reproduction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Environment;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.TestRuns;
import pacer.activities.run.Verdict;
import pacer.activities.training.TrainingResult;

/** What is said of a night's run beside those of the nights before. */
class ReproductionsTest {
    private static final Instant FIRST_NIGHT = Instant.parse("2026-11-01T02:00:00Z");

    @TempDir
    private Path folder;

    private Home home;
    private int night;

    @BeforeEach
    void home() throws IOException {
        home = TestRuns.home(folder);
        night = 0;
    }

    /** The next night's finished run. */
    private String run(double loss, double tokensPerSecond, String commit) throws IOException {
        return run(loss, tokensPerSecond, commit, "hash", TestRuns.MACHINE.cpu(), RunStatus.FINISHED);
    }

    private String run(double loss, double tokensPerSecond, String commit, String hash, String cpu, RunStatus status)
            throws IOException {
        String id = "night-" + ++night;
        Instant created = FIRST_NIGHT.plus(Duration.ofDays(night - 1L));
        Environment on = TestRuns.MACHINE;
        Environment machine = new Environment(
                on.host(), cpu, on.cores(), on.memoryBytes(), on.os(), on.jvm(), on.pacer(), commit, false);
        TrainingResult training =
                new TrainingResult(2000, loss, loss, loss, 60, tokensPerSecond, "checkpoints/a", "checkpoints/a");
        EvaluationResult evaluation = new EvaluationResult("checkpoints/a", 2000, loss, 15360, 2);
        RunRecord record = new RunRecord(
                id,
                "quickstart",
                hash,
                null,
                status,
                created,
                created.plusSeconds(60),
                null,
                machine,
                List.of(done(Stage.TRAIN, created, training), done(Stage.EVALUATE, created, evaluation)),
                status == RunStatus.FINISHED ? new Verdict(loss <= 1.69, loss, 1.69, "passed or not") : null,
                null);
        RunFolder run = home.run(id);
        run.receive(RunJson.MAPPER.writeValueAsBytes(record), new byte[0]);
        return id;
    }

    private static StageRecord done(Stage stage, Instant at, Object result) {
        return new StageRecord(
                stage, StageRecord.Status.DONE, "key", at, at, 1, 1, false, "", RunJson.MAPPER.valueToTree(result));
    }

    private Reproduction compare(String id) throws IOException {
        return new Reproductions(home).compare(id);
    }

    @Test
    void theFirstNightHasNothingToCompareWith() throws Exception {
        Reproduction first = compare(run(1.6876, 30_000, "aaaa"));
        assertThat(first.drift()).isNull();
        assertThat(first.speed()).isNull();
        assertThat(first.changedOn()).isNull();
        assertThat(first.passed()).isTrue();
        assertThat(first.text()).isEqualTo("passed or not; the first of its settings on this host");
    }

    @Test
    void theSameBitsAreSaidToBe() throws Exception {
        run(1.6876, 30_000, "aaaa");
        run(1.6876, 20_000, "bbbb");
        Reproduction third = compare(run(1.6876, 40_000, "cccc"));
        assertThat(third.speed()).as("two before are no habit").isNull();
        assertThat(third.text()).doesNotContain("speed");
        Reproduction fourth = compare(run(1.6876, 15_000, "dddd"));
        assertThat(fourth.drift()).isZero();
        assertThat(fourth.sameSince()).isEqualTo(3);
        assertThat(fourth.changedAt()).isNull();
        assertThat(fourth.speed()).as("of the median").isEqualTo(0.5);
        assertThat(fourth.text()).contains("the same to the last bit as all 3 before", "0.50x the usual speed");
    }

    /** By one bit, as a code that adds in another order brings it about. */
    @Test
    void anotherLossIsToldWithTheNightAndTheCommitItCameWith() throws Exception {
        run(1.6876, 30_000, "aaaaaaaaaaaaaaaa");
        run(1.6876, 30_000, "bbbbbbbbbbbbbbbb");
        double other = Math.nextUp(1.6876);
        run(other, 30_000, "cccccccccccccccc");
        Reproduction last = compare(run(other, 30_000, "dddddddddddddddd"));
        assertThat(last.drift()).isZero();
        assertThat(last.sameSince()).isEqualTo(1);
        assertThat(last.changedAt()).isEqualTo("cccccccccccccccc");
        assertThat(last.changedOn()).isEqualTo(FIRST_NIGHT.plus(Duration.ofDays(2)));
        assertThat(last.text())
                .contains("this loss since 2026-11-03, commit cccccccccc; before it was 1.6876, at bbbbbbbbbb");
    }

    @Test
    void theFirstNightOfAnotherLossDrifts() throws Exception {
        run(1.6876, 30_000, "aaaa");
        Reproduction second = compare(run(1.7876, 30_000, null));
        assertThat(second.drift()).isCloseTo(0.1, within(1e-12));
        assertThat(second.passed()).isFalse();
        assertThat(second.sameSince()).isZero();
        assertThat(second.text()).contains("another loss since 2026-11-02; before it was 1.6876, at aaaa");
    }

    @Test
    void onlyFinishedRunsOfTheSameSettingsCountAndSpeedsOfTheSameMachine() throws Exception {
        run(9, 1, "aaaa", "another", TestRuns.MACHINE.cpu(), RunStatus.FINISHED);
        run(9, 1, "aaaa", "hash", TestRuns.MACHINE.cpu(), RunStatus.FAILED);
        run(1.6876, 1, "aaaa", "hash", "another processor", RunStatus.FINISHED);
        Reproduction run = compare(run(1.6876, 30_000, "bbbb"));
        assertThat(run.earlier()).isEqualTo(1);
        assertThat(run.sameSince()).isEqualTo(1);
        assertThat(run.speed()).isNull();
        String later = run(1.5, 30_000, "cccc");
        assertThat(compare("night-4")).as("a later night changes nothing").isEqualTo(run);
        assertThat(compare(later).earlier()).isEqualTo(2);
    }

    @Test
    void aRunThatIsNotFinishedIsRefused() throws Exception {
        String failed = run(1.6876, 30_000, "aaaa", "hash", TestRuns.MACHINE.cpu(), RunStatus.FAILED);
        assertThatThrownBy(() -> compare(failed))
                .isInstanceOf(BadInputException.class)
                .hasMessage("run night-1 is not finished: nothing to compare");
    }
}
