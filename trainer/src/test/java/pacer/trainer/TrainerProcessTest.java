package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.event.TrainingEvent;

/** Trainers as processes: killed, stopped, several at once. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class TrainerProcessTest {
    private static final int STEPS = 40;

    @TempDir
    private Path folder;

    @Test
    void aRunKilledAtRandomMomentsHasTheLossesOfAnUndisturbedOneBitForBit() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path undisturbed = fixture.run("undisturbed");
        // compiled differently on purpose: bits must not depend on what the JIT has done so far
        assertThat(exitCode(fixture.start(undisturbed, 1, "-XX:TieredStopAtLevel=1")))
                .isEqualTo(ProcessLife.FINISHED);
        Map<Integer, String> expected = TrainerFixture.losses(undisturbed);
        assertThat(expected).hasSize(STEPS);

        Path disturbed = fixture.run("disturbed");
        long seed = Long.getLong("pacer.kill.seed", 1);
        Random random = new Random(seed);
        for (int kill = 0; kill < 3; kill++) {
            int until = TrainerFixture.steps(disturbed) + 1 + random.nextInt(10);
            Process trainer = fixture.start(disturbed, 1).getFirst();
            try {
                while (trainer.isAlive() && TrainerFixture.steps(disturbed) < Math.min(until, STEPS - 1)) {
                    TimeUnit.MILLISECONDS.sleep(random.nextInt(1, 5));
                }
            } finally {
                trainer.destroyForcibly().waitFor(); // SIGKILL
            }
        }
        assertThat(exitCode(fixture.start(disturbed, 1))).isEqualTo(ProcessLife.FINISHED);

        assertThat(TrainerFixture.losses(disturbed))
                .as("-Dpacer.kill.seed=" + seed)
                .isEqualTo(expected);
        Set<String> distinct = new HashSet<>(TrainerFixture.lossesAsWritten(disturbed));
        assertThat(distinct).as("steps taken twice agree with themselves").hasSize(STEPS);
        assertThat(TrainerFixture.lossesAsWritten(disturbed).size())
                .as("some steps were taken twice: the kills did hit training")
                .isGreaterThan(STEPS);
    }

    @Test
    void aSignalEndsTrainingWithACheckpointFromWhichItGoesOn() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path run = fixture.run("stopped", "train.steps=4000", "schedule.decaySteps=4000", "checkpoint.everySteps=0");
        Process trainer = fixture.start(run, 1).getFirst();
        while (trainer.isAlive() && TrainerFixture.steps(run) < 3) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        trainer.toHandle().destroy(); // SIGTERM; Process.destroy would close its standard input too
        assertThat(exitCode(List.of(trainer))).isEqualTo(ProcessLife.STOPPED);

        List<TrainingEvent> events = TrainerFixture.events(run);
        assertThat(events.getLast()).isInstanceOf(TrainingEvent.Checkpointed.class);
        int stoppedAt = TrainerFixture.steps(run);
        assertThat(events.getLast().step()).isEqualTo(stoppedAt);

        Process next = fixture.start(run, 1).getFirst();
        while (next.isAlive() && TrainerFixture.steps(run) < stoppedAt + 2) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        next.toHandle().destroy();
        assertThat(exitCode(List.of(next))).isEqualTo(ProcessLife.STOPPED);
        assertThat(TrainerFixture.lossesAsWritten(run))
                .as("no step was taken twice")
                .hasSize(TrainerFixture.steps(run))
                .hasSizeGreaterThan(stoppedAt);
    }

    @Test
    void aRankThatIsKilledEndsTheOthersAndAllGoOnToTheLossesOfAnUndisturbedRun() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        String[] sets = {"train.steps=16", "schedule.decaySteps=16", "train.ranks=2", "train.threads=1"};
        Path undisturbed = fixture.run("undisturbed", sets);
        assertThat(exitCode(fixture.start(undisturbed, 2))).isEqualTo(ProcessLife.FINISHED);

        Path disturbed = fixture.run("disturbed", sets);
        for (int killed = 0; killed < 2; killed++) {
            List<Process> ranks = fixture.start(disturbed, 2);
            int until = TrainerFixture.steps(disturbed) + 3;
            while (ranks.getFirst().isAlive() && TrainerFixture.steps(disturbed) < until) {
                TimeUnit.MILLISECONDS.sleep(2);
            }
            ranks.get(killed).destroyForcibly(); // SIGKILL, rank 0 once and rank 1 once
            assertThat(ranks.get(1 - killed).waitFor(2, TimeUnit.MINUTES))
                    .as("the other rank notices")
                    .isTrue();
            assertThat(exitCode(ranks)).isNotEqualTo(ProcessLife.FINISHED);
        }
        assertThat(exitCode(fixture.start(disturbed, 2))).isEqualTo(ProcessLife.FINISHED);

        assertThat(TrainerFixture.losses(disturbed)).isEqualTo(TrainerFixture.losses(undisturbed));
        Set<String> distinct = new HashSet<>(TrainerFixture.lossesAsWritten(disturbed));
        assertThat(distinct).as("steps taken twice agree with themselves").hasSize(16);
    }

    @Test
    void aLongStepTellsThatItWorksAndTheFileOfEventsDoesNotGrow() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path run = fixture.run("long", "train.steps=1", "train.batchTokens=1048576", "evaluation.everySteps=0");
        assertThat(exitCode(fixture.start(run, 1))).isEqualTo(ProcessLife.FINISHED);

        assertThat(Files.readString(run.resolve("rank0.out"))).contains("\"event\":\"working\"", "\"micro_steps\"");
        assertThat(TrainerFixture.events(run)).noneMatch(TrainingEvent.Working.class::isInstance);
    }

    @Test
    void ranksTrainOnTheSameDataAndRepeatThemselvesBitForBit() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path one = fixture.run("one", "train.steps=12");
        assertThat(exitCode(fixture.start(one, 1))).isEqualTo(ProcessLife.FINISHED);
        Path four = fixture.run("four", "train.steps=12", "train.ranks=4", "train.threads=1");
        assertThat(exitCode(fixture.start(four, 4))).isEqualTo(ProcessLife.FINISHED);
        // samples are the first rank's affair
        Path again = fixture.run(
                "again",
                "train.steps=12",
                "train.ranks=4",
                "train.threads=1",
                "sample.everySteps=5",
                "sample.tokens=20");
        assertThat(exitCode(fixture.start(again, 4))).isEqualTo(ProcessLife.FINISHED);

        assertThat(TrainerFixture.losses(again)).isEqualTo(TrainerFixture.losses(four));
        assertThat(TrainerFixture.events(again))
                .filteredOn(TrainingEvent.Sampled.class::isInstance)
                .hasSize(2);
        List<TrainingEvent> alone = TrainerFixture.events(one);
        for (TrainingEvent event : TrainerFixture.events(four)) {
            if (event instanceof TrainingEvent.Step step) {
                double expected = alone.stream()
                        .filter(TrainingEvent.Step.class::isInstance)
                        .map(TrainingEvent.Step.class::cast)
                        .filter(s -> s.step() == step.step())
                        .findFirst()
                        .orElseThrow()
                        .loss();
                assertThat(step.loss()).isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-4));
            }
        }
    }

    @Test
    void aParentThatIsGoneEndsTheTrainer() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path run = fixture.run("orphan", "train.steps=100000", "schedule.decaySteps=100000");
        Process trainer = fixture.start(run, 1).getFirst();
        trainer.getOutputStream().close(); // what the kernel does when the parent dies
        assertThat(trainer.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aShardThatIsDamagedIsBadInputAndSaysSo() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path run = fixture.run("damaged");
        Files.write(folder.resolve("data/train-000000.bin"), new byte[1023]);
        assertThat(exitCode(fixture.start(run, 1))).isEqualTo(ProcessLife.BAD_INPUT);
        assertThat(Files.readString(run.resolve("rank0.log"))).contains("train-000000.bin");
        assertThat(TrainerFixture.events(run)).last().isInstanceOfSatisfying(TrainingEvent.Failed.class, failed -> {
            assertThat(failed.reason()).contains("train-000000.bin");
            assertThat(failed.retryable()).isFalse();
        });
    }

    @Test
    void aFailureInTheMiddleOfTrainingIsInTheFileOfEvents() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path run = fixture.run(
                "hot",
                "train.nonFinite=stop",
                "optimizer.learningRate=100",
                "train.gradientClip=0",
                "schedule.warmupSteps=0");
        assertThat(exitCode(fixture.start(run, 1))).isEqualTo(ProcessLife.BAD_INPUT);

        List<TrainingEvent> events = TrainerFixture.events(run);
        assertThat(events)
                .filteredOn(TrainingEvent.Failed.class::isInstance)
                .singleElement()
                .isEqualTo(events.getLast());
        assertThat(events.getLast().step()).isPositive();
    }

    @Test
    void whoWasFencedOffWritesNoFailureDown() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path run = fixture.run("fenced", "train.steps=100000", "schedule.decaySteps=100000");
        Process trainer = fixture.start(run, 1).getFirst();
        while (trainer.isAlive() && TrainerFixture.steps(run) < 3) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        Path writer = run.resolve(".fence/writer");
        Files.delete(writer); // else the next epoch would end it first
        Fence next = Fence.acquire(run, Duration.ofSeconds(20), notice -> {});
        assertThat(exitCode(List.of(trainer))).isEqualTo(ProcessLife.FENCED);
        assertThat(next.isNewest()).isTrue();
        assertThat(TrainerFixture.events(run)).noneMatch(TrainingEvent.Failed.class::isInstance);
        assertThat(Files.readString(run.resolve("rank0.out"))).contains("\"event\":\"failed\"");
    }

    @Test
    void anEvaluatorRefusesACheckpointWhoseWeightsAreDamaged() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        Path run = fixture.run("evaluated", "train.steps=1", "sample.tokens=3");
        assertThat(exitCode(fixture.start(run, 1))).isEqualTo(ProcessLife.FINISHED);
        assertThat(fixture.evaluate(run, "step-000001")).isEqualTo(ProcessLife.FINISHED);

        Path weights = run.resolve("checkpoints/step-000001/model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] ^= 1;
        Files.write(weights, bytes);
        assertThat(fixture.evaluate(run, "step-000001")).isEqualTo(ProcessLife.BAD_INPUT);
        assertThat(Files.readString(run.resolve("evaluator.log"))).contains("model.safetensors: SHA-256");
    }

    private static int exitCode(List<Process> ranks) throws InterruptedException {
        int worst = 0;
        try {
            for (Process rank : ranks) {
                assertThat(rank.waitFor(3, TimeUnit.MINUTES)).as("rank ends").isTrue();
                worst = Math.max(worst, rank.exitValue());
            }
        } finally {
            ranks.forEach(Process::destroyForcibly);
        }
        return worst;
    }
}
