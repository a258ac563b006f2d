package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes that are killed, and a real limit on what they may write. */
class CheckpointFaultTest {

    @TempDir
    Path run;

    private final List<String> notices = new ArrayList<>();

    @Test
    void killedAtRandomMomentsNothingAnnouncedIsLostAndNothingHalfWrittenIsSeen() throws Exception {
        long seed = 20261122;
        Random random = new Random(seed);
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), notices::add);
        int announced = 0;
        for (int round = 0; round < 6; round++) {
            try (ChildJvm writer = ChildJvm.start(CheckpointChild.class, run, 1500)) {
                int from = Integer.parseInt(writer.line().substring("from ".length()));
                assertThat(from).as("seed %d, round %d", seed, round).isGreaterThanOrEqualTo(announced);
                announced = stepOf(writer.line());
                Thread.sleep(random.nextInt(200));
                writer.signal("KILL");
                assertThat(writer.exitCode()).isEqualTo(128 + 9);
                String last = writer.lastLine();
                announced = last.isEmpty() ? announced : stepOf(last);
            }
            Checkpoint newest = store.newest().orElseThrow();
            int step = newest.state().step();
            assertThat(step).as("seed %d, round %d", seed, round).isBetween(announced, announced + 1);
            try (Safetensors weights = newest.openWeights()) {
                for (TensorSource expected : States.tensors("w", step, 1500)) {
                    assertThat(weights.tensor(expected.name())
                                    .bytes()
                                    .mismatch(expected.content().read(0, expected.bytes(), null)))
                            .isEqualTo(-1);
                }
            }
        }
        store.recover(Fence.acquire(run, Duration.ofSeconds(10), notices::add));
        assertThat(names())
                .as("nothing is left over")
                .allMatch(name -> name.matches("step-\\d{6}"))
                .hasSizeBetween(2, 3);
        assertThat(notices).as("nothing was damaged").isEmpty();
    }

    @Test
    void whenNothingMoreCanBeWrittenTheErrorSaysSoAndOlderCheckpointsStay() throws Exception {
        try (ChildJvm writer = ChildJvm.start(CheckpointChild.class, run, 10)) {
            assertThat(writer.line()).isEqualTo("from 0");
            assertThat(writer.line()).isEqualTo("saved 1");
        }
        // a limit on the size of files, in blocks of 512 or 1024 bytes, stands in for a full disk
        List<String> limited = List.of("sh", "-c", "ulimit -f 1000; exec \"$@\"", "sh");
        try (ChildJvm writer = ChildJvm.start(limited, Map.of(), CheckpointChild.class, run, 2000)) {
            int from = Integer.parseInt(writer.line().substring("from ".length()));
            assertThat(writer.line())
                    .startsWith("failed: cannot write " + run.resolve("checkpoints"))
                    .contains("model.safetensors: ");
            assertThat(writer.exitCode()).isZero();
            assertThat(new CheckpointStore(run.resolve("checkpoints"), notices::add)
                            .newest()
                            .orElseThrow()
                            .state()
                            .step())
                    .isEqualTo(from);
        }
        assertThat(names()).allMatch(name -> !name.startsWith(".") || name.endsWith("epoch-1"));
        assertThat(notices).isEmpty();
    }

    private static int stepOf(String line) {
        assertThat(line).startsWith("saved ");
        return Integer.parseInt(line.substring("saved ".length()));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(run.resolve("checkpoints"))) {
            return all.map(p -> p.getFileName().toString()).toList();
        }
    }
}
