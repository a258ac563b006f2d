package pacer.trainer.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.checkpoint.ChildJvm;

/** Ranks as processes, and what becomes of the others when one is killed or stopped. */
class RankProcessesTest {
    private static final int FOREVER = 1_000_000;

    @TempDir
    Path folder;

    private final List<ChildJvm> ranks = new ArrayList<>();

    @AfterEach
    void end() {
        ranks.forEach(ChildJvm::close);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 8})
    void processesSumToTheSameBits(int size) throws Exception {
        int elements = 300_001;
        start(size, elements, 3, 60_000);
        String expected = "reduced " + Arrays.hashCode(Ranks.sums(size, elements));
        for (ChildJvm rank : ranks) {
            assertThat(rank.line()).isEqualTo(expected);
            assertThat(rank.line()).isEqualTo("done");
            assertThat(rank.exitCode()).isZero();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aKilledRankIsNamedByAllOthersAtOnce() throws Exception {
        start(3, 1000, FOREVER, 60_000);
        awaitReduced();

        ranks.get(1).signal("KILL");

        long killed = System.nanoTime();
        for (int rank : new int[] {0, 2}) {
            assertThat(ranks.get(rank).line())
                    .startsWith("rank " + rank + " of 3: call ")
                    .contains("rank 1 is gone");
            assertThat(ranks.get(rank).exitCode()).isEqualTo(1);
        }
        assertThat((System.nanoTime() - killed) / 1e9)
                .as("seconds, of a timeout of 60")
                .isLessThan(30);
    }

    @ParameterizedTest
    @CsvSource({"2, 1000", "4, 3000000"}) // a stop between short messages, and one in the middle of a long one
    void aStoppedRankIsNamedByAllOthersWithinTheDeadline(int size, int elements) throws Exception {
        start(size, elements, FOREVER, 2500);
        awaitReduced();
        Thread.sleep(100);

        ranks.get(1).signal("STOP");

        for (int rank = 0; rank < size; rank++) {
            if (rank != 1) {
                assertThat(ranks.get(rank).line())
                        .startsWith("rank " + rank + " of " + size + ": call ")
                        .contains("rank 1 has been silent for 2.5 s");
                assertThat(ranks.get(rank).exitCode()).isEqualTo(1);
            }
        }
    }

    @Test
    void aRankWithoutTheTokenDoesNotEvenStart() throws Exception {
        try (ChildJvm rank = ChildJvm.start(List.of(), Map.of(), RankChild.class, 0, 2, "file:" + folder, 1, 1, 1)) {
            assertThat(rank.exitCode()).isEqualTo(1);
            assertThat(rank.errors()).contains("the environment variable PACER_RENDEZVOUS_TOKEN must hold the secret");
        }
    }

    private void start(int size, int elements, int rounds, int timeoutMillis) throws IOException {
        for (int rank = 0; rank < size; rank++) {
            ranks.add(ChildJvm.start(
                    List.of(),
                    Map.of(Group.TOKEN_VARIABLE, Ranks.TOKEN),
                    RankChild.class,
                    rank,
                    size,
                    "file:" + folder.resolve("rendezvous"),
                    elements,
                    rounds,
                    timeoutMillis));
        }
    }

    private void awaitReduced() throws InterruptedException {
        for (ChildJvm rank : ranks) {
            assertThat(rank.line()).startsWith("reduced ");
        }
    }
}
