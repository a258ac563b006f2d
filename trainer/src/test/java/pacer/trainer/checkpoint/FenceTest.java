package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.durable.ProcessIdentity;

class FenceTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path run;

    private final List<String> notices = new ArrayList<>();

    @Test
    void lettingInTheNewestEpochOnly() throws IOException {
        Fence first = Fence.acquire(run, PATIENCE, notices::add);
        assertThat(first.epoch()).isEqualTo(1);
        assertThat(first.commit(() -> "done")).isEqualTo("done");

        Fence second = Fence.acquire(run, PATIENCE, notices::add);

        assertThat(second.epoch()).isEqualTo(2);
        assertThat(first.isNewest()).isFalse();
        assertThatThrownBy(() -> first.commit(() -> {
                    throw new AssertionError("must not run");
                }))
                .isInstanceOf(FencedException.class)
                .hasMessage("epoch 1 of " + run + " is over: epoch 2 has begun, so nothing more may be written");
        assertThatThrownBy(() -> Fence.join(run, 1, PATIENCE)).isInstanceOf(FencedException.class);
        assertThat(Fence.join(run, 2, PATIENCE).commit(() -> second.commit(() -> "nested")))
                .isEqualTo("nested");
        assertThat(notices).isEmpty();
    }

    @Test
    void letsGoOfTheLockWhenTheActionFails() throws IOException {
        Fence fence = Fence.acquire(run, PATIENCE, notices::add);
        assertThatThrownBy(() -> fence.commit(() -> {
                    throw new IOException("disk full");
                }))
                .hasMessage("disk full");
        assertThat(fence.commit(() -> "again")).isEqualTo("again");
    }

    @Test
    void refusesARunWithoutEpochsAndADamagedEpoch() throws IOException {
        assertThatThrownBy(() -> Fence.join(run, 1, PATIENCE))
                .hasMessageContaining("no epoch was ever acquired in " + run);
        Fence.acquire(run, PATIENCE, notices::add);
        Files.writeString(run.resolve(".fence/epoch"), "x");
        assertThatThrownBy(() -> Fence.acquire(run, PATIENCE, notices::add))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("epoch: content: \"x\" must be the number of the newest epoch");
    }

    @Test
    void threadsOfOneProcessCommitOneAtATime() throws IOException, InterruptedException, ExecutionException {
        Fence fence = Fence.acquire(run, PATIENCE, notices::add);
        int[] counter = new int[1]; // unguarded: only the fence makes this right
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                all.add(threads.submit(() -> {
                    Fence own = Fence.join(run, fence.epoch(), PATIENCE);
                    for (int i = 0; i < 100; i++) {
                        own.commit(() -> {
                            int before = counter[0];
                            Thread.onSpinWait();
                            counter[0] = before + 1;
                            return null;
                        });
                    }
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
        assertThat(counter[0]).isEqualTo(400);
    }

    @Test
    void ofTwoProcessesAtABarrierExactlyOneCommitsEachRound() throws IOException, InterruptedException {
        int rounds = 300;
        try (ChildJvm a = ChildJvm.start(FenceChild.class, run);
                ChildJvm b = ChildJvm.start(FenceChild.class, run)) {
            for (int round = 1; round <= rounds; round++) {
                a.send("acquire");
                b.send("acquire");
                long epochA = Long.parseLong(a.line());
                long epochB = Long.parseLong(b.line());
                assertThat(List.of(epochA, epochB)).containsExactlyInAnyOrder(2L * round - 1, 2L * round);
                a.send("commit");
                b.send("commit");
                String committed = "committed";
                String fenced = "fenced: epoch " + (2L * round - 1) + " of " + run + " is over: epoch " + 2L * round
                        + " has begun, so nothing more may be written";
                assertThat(a.line()).isEqualTo(epochA > epochB ? committed : fenced);
                assertThat(b.line()).isEqualTo(epochB > epochA ? committed : fenced);
            }
        }
        List<String> expected = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            expected.add(Integer.toString(2 * round));
        }
        assertThat(Files.readAllLines(run.resolve("commits"))).isEqualTo(expected);
    }

    @Test
    void aStoppedZombieThatWakesAfterItsSuccessorBeganIsFencedOff() throws IOException, InterruptedException {
        try (ChildJvm zombie = ChildJvm.start(FenceChild.class, run)) {
            zombie.send("acquire");
            assertThat(zombie.line()).isEqualTo("1");
            zombie.signal("STOP");
            zombie.send("commit");

            Fence successor = Fence.acquire(run, PATIENCE, notices::add);
            zombie.signal("CONT");

            assertThat(zombie.line()).startsWith("fenced: epoch 1 of");
            assertThat(successor.commit(() -> "mine")).isEqualTo("mine");
            assertThat(run.resolve("commits")).doesNotExist();
        }
    }

    @Test
    void aSuccessorEndsAWriterStoppedInTheMiddleOfACommitAndSaysSo() throws IOException, InterruptedException {
        long epoch = Fence.acquire(run, PATIENCE, notices::add).epoch();
        try (ChildJvm holder = ChildJvm.start(FenceChild.class, run)) {
            holder.send("join " + epoch);
            assertThat(holder.line()).isEqualTo("joined");
            holder.send("hang");
            assertThat(holder.line()).isEqualTo("inside");
            holder.signal("STOP");

            Fence successor = Fence.acquire(run, PATIENCE, notices::add);

            assertThat(successor.epoch()).isEqualTo(2);
            assertThat(holder.exitCode()).isEqualTo(128 + 9);
            assertThat(notices)
                    .singleElement()
                    .asString()
                    .contains("process " + holder.pid(), "epoch 1", "held the lock: killed it");
        }
    }

    @Test
    void aSuccessorEndsAWriterThatIsOnlyStillThere() throws IOException, InterruptedException {
        Fence.acquire(run, PATIENCE, notices::add);
        try (ChildJvm writer = ChildJvm.start(FenceChild.class, run)) {
            writer.send("join 1");
            assertThat(writer.line()).isEqualTo("joined");

            Fence.acquire(run, PATIENCE, notices::add);

            assertThat(writer.exitCode()).isEqualTo(128 + 9);
            assertThat(notices).singleElement().asString().contains("still there after epoch 2 began: killed it");
        }
    }

    @Test
    void neverEndsAProcessThatOnlyHasTheSameId() throws IOException, InterruptedException {
        Fence.acquire(run, PATIENCE, notices::add);
        try (ChildJvm innocent = ChildJvm.start(FenceChild.class, run)) {
            innocent.send("join 1");
            assertThat(innocent.line()).isEqualTo("joined");
            Fence.Writer recorded =
                    Json.MAPPER.readValue(run.resolve(".fence/writer").toFile(), Fence.Writer.class);
            ProcessIdentity process = recorded.process();
            for (ProcessIdentity other : List.of(
                    new ProcessIdentity(process.machine(), process.pid(), process.start() + "0"),
                    new ProcessIdentity("elsewhere/" + process.machine(), process.pid(), process.start()))) {
                Json.MAPPER.writeValue(run.resolve(".fence/writer").toFile(), new Fence.Writer(1, other));
                Fence.acquire(run, PATIENCE, notices::add);
            }

            assertThat(innocent.isAlive()).isTrue();
            assertThat(notices).isEmpty();
        }
    }

    @Test
    void sayingWhoHoldsTheLockWhenItCannotBeHad() throws IOException, InterruptedException {
        Fence own = Fence.acquire(run, Duration.ofMillis(200), notices::add);
        try (ChildJvm holder = ChildJvm.start(FenceChild.class, run)) {
            holder.send("join 1");
            assertThat(holder.line()).isEqualTo("joined");
            holder.send("hang");
            assertThat(holder.line()).isEqualTo("inside");

            assertThatThrownBy(() -> own.commit(() -> null))
                    .hasMessageContaining(
                            "lock is held by another process for more than 0 s; the last known writer is process "
                                    + holder.pid());
        }
    }
}
