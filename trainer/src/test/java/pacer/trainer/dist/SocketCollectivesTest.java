package pacer.trainer.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Tensor;

/** Ranks as threads of one process, over real sockets. */
class SocketCollectivesTest {
    // the last has several chunks in each shard, and a part of one, at any number of ranks here
    private static final int[] SIZES = {1, 63, 64, 65, 1000, 4097, 2_200_003};

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 8})
    void sumsInTheOrderOfRanksToTheLastBit(int size) throws Exception {
        int[] sizes = size == 8 ? Arrays.copyOf(SIZES, 6) : SIZES;
        List<List<float[]>> results = Ranks.run(size, folder.resolve("r"), collectives -> {
            try (Arena arena = Arena.ofConfined()) {
                return Arrays.stream(sizes)
                        .mapToObj(elements -> {
                            Tensor tensor = Ranks.tensor(arena, Ranks.values(collectives.rank(), elements));
                            collectives.allReduce(tensor);
                            return Ranks.floats(tensor);
                        })
                        .toList();
            }
        });
        for (List<float[]> ofRank : results) {
            for (int i = 0; i < sizes.length; i++) {
                assertThat(ofRank.get(i)).isEqualTo(Ranks.sums(size, sizes[i]));
            }
        }
    }

    @Test
    void timingChangesNoBit() throws Exception {
        for (int round = 0; round < 3; round++) {
            List<float[]> results = Ranks.run(3, folder.resolve("r" + round), collectives -> {
                try (Arena arena = Arena.ofConfined()) {
                    Tensor tensor = Ranks.tensor(arena, Ranks.values(collectives.rank(), 5000));
                    for (int i = 0; i < 20; i++) {
                        Thread.sleep(ThreadLocalRandom.current().nextInt(3));
                        collectives.allReduce(tensor);
                    }
                    return Ranks.floats(tensor);
                }
            });
            assertThat(results.get(1)).isEqualTo(results.get(0));
            assertThat(results.get(2)).isEqualTo(results.get(0));
            float[] expected = Ranks.sums(3, 5000);
            for (int i = 1; i < 20; i++) {
                for (int e = 0; e < expected.length; e++) {
                    expected[e] = expected[e] + expected[e] + expected[e];
                }
            }
            assertThat(results.get(0)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5})
    void reduceScatterSumsEachRanksShardAndAllGatherSpreadsIt(int size) throws Exception {
        int elements = 10_001;
        Ranks.run(size, folder.resolve("r"), collectives -> {
            try (Arena arena = Arena.ofConfined()) {
                Tensor tensor = Ranks.tensor(arena, Ranks.values(collectives.rank(), elements));
                float[] before = Ranks.values(collectives.rank(), elements);
                float[] sums = Ranks.sums(size, elements);
                Partition even = Partition.even(elements, size);
                Partition.Piece own = even.shards().get(collectives.rank()).getFirst();
                int start = (int) own.from();
                int end = (int) own.to();

                collectives.reduceScatter(tensor, even);
                assertThat(Arrays.copyOfRange(Ranks.floats(tensor), start, end))
                        .isEqualTo(Arrays.copyOfRange(sums, start, end));
                assertThat(Arrays.copyOfRange(Ranks.floats(tensor), 0, start))
                        .as("other shards stay")
                        .isEqualTo(Arrays.copyOfRange(before, 0, start));

                collectives.allGather(tensor, even);
                assertThat(Ranks.floats(tensor)).isEqualTo(sums);
                return null;
            }
        });
    }

    /** Shards of several pieces, of very different lengths, one rank with none, some elements nobody's. */
    @Test
    void shardsMayBeAnyPieces() throws Exception {
        int elements = 500_000;
        Partition partition = new Partition(List.of(
                List.of(new Partition.Piece(3, 4), new Partition.Piece(200_000, 400_000)),
                List.of(),
                List.of(
                        new Partition.Piece(0, 3),
                        new Partition.Piece(5, 900),
                        new Partition.Piece(400_000, 400_001))));
        float[] sums = Ranks.sums(3, elements);
        Ranks.run(3, folder.resolve("r"), collectives -> {
            try (Arena arena = Arena.ofConfined()) {
                float[] expected = Ranks.values(collectives.rank(), elements);
                Tensor tensor = Ranks.tensor(arena, expected);

                collectives.reduceScatter(tensor, partition);
                copy(sums, expected, partition.shards().get(collectives.rank()));
                assertThat(Ranks.floats(tensor)).isEqualTo(expected);

                collectives.allGather(tensor, partition);
                partition.shards().forEach(shard -> copy(sums, expected, shard));
                assertThat(Ranks.floats(tensor)).isEqualTo(expected);
                return null;
            }
        });
    }

    private static void copy(float[] from, float[] to, List<Partition.Piece> pieces) {
        for (Partition.Piece piece : pieces) {
            System.arraycopy(from, (int) piece.from(), to, (int) piece.from(), (int) piece.size());
        }
    }

    @Test
    void oneRankSendsToOneOther() throws Exception {
        Ranks.run(3, folder.resolve("r"), collectives -> {
            try (Arena arena = Arena.ofConfined()) {
                float[] own = Ranks.values(collectives.rank(), 100_000);
                Tensor tensor = Ranks.tensor(arena, own);
                collectives.send(collectives.rank() == 0 ? null : tensor, 2, 1);
                collectives.barrier();
                assertThat(Ranks.floats(tensor)).isEqualTo(collectives.rank() == 1 ? Ranks.values(2, 100_000) : own);
                return null;
            }
        });
    }

    @Test
    void broadcastsFromEveryRankAndEveryType() throws Exception {
        Ranks.run(3, folder.resolve("r"), collectives -> {
            try (Arena arena = Arena.ofConfined()) {
                for (DType type : DType.values()) {
                    for (int root = 0; root < 3; root++) {
                        MemorySegment memory = arena.allocate(301L * type.bytes(), 64);
                        memory.fill((byte) (10 * collectives.rank() + 1));
                        collectives.broadcast(new Tensor("b", type, memory.address(), 43, 7, 43), root);
                        assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).containsOnly(10 * root + 1);
                    }
                }
                return null;
            }
        });
    }

    @Test
    void sumsNumbersInTheOrderOfRanks() throws Exception {
        double[] numbers = {1e16, 1, -1e16, 1};
        List<Double> sums = Ranks.run(4, folder.resolve("r"), collectives -> {
            collectives.barrier();
            return collectives.allReduce(numbers[collectives.rank()]);
        });
        assertThat(sums).containsOnly(((1e16 + 1) + -1e16) + 1).doesNotContain(2.0);
    }

    @Test
    void noRankPassesABarrierBeforeAllHaveComeToIt() throws Exception {
        long[] arrived = new long[4];
        List<Long> left = Ranks.run(4, folder.resolve("r"), collectives -> {
            Thread.sleep(collectives.rank() * 40L);
            arrived[collectives.rank()] = System.nanoTime();
            collectives.barrier();
            return System.nanoTime();
        });
        assertThat(left).allMatch(time -> time >= arrived[3]);
    }

    @Test
    void namesTheRankThatMakesAnotherCall() {
        assertThatThrownBy(() -> Ranks.run(2, folder.resolve("r"), collectives -> {
                    collectives.barrier();
                    try (Arena arena = Arena.ofConfined()) {
                        if (collectives.rank() == 0) {
                            collectives.barrier();
                        } else {
                            collectives.broadcast(Ranks.tensor(arena, new float[100]), 1);
                        }
                    }
                    return null;
                }))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(CollectiveException.class)
                .hasMessageContaining(
                        "rank 0 of 2: call 1, BARRIER of 0 bytes: rank 1 is at call 1, BROADCAST of 400 bytes,"
                                + " this rank at call 1, BARRIER of 0 bytes: every rank must make the same calls in the same order");
    }

    @Test
    void refusesWhatItCannotPass() throws Exception {
        Ranks.run(2, folder.resolve("r"), collectives -> {
            assertThatThrownBy(() -> collectives.allReduce(new Tensor("ids", DType.I32, 64, 8, 8)))
                    .hasMessageContaining("only F32 tensors can be summed over ranks; got ids (8) I32");
            assertThatThrownBy(() -> collectives.broadcast(new Tensor("view", DType.F32, 64, 16, 2, 8), 0))
                    .hasMessageContaining("only contiguous tensors");
            assertThatThrownBy(() -> collectives.broadcast(new Tensor("t", DType.F32, 64, 8, 8), 2))
                    .hasMessageContaining("there is no rank 2 among 2");
            return null;
        });
    }

    @Test
    void aloneEverySumHasOneTerm() {
        try (Collectives solo = new SoloCollectives();
                Arena arena = Arena.ofConfined()) {
            Tensor tensor = Ranks.tensor(arena, Ranks.values(0, 10));
            solo.allReduce(tensor);
            solo.reduceScatter(tensor, Partition.even(10, 1));
            solo.allGather(tensor, Partition.even(10, 1));
            solo.broadcast(tensor, 0);
            solo.barrier();
            assertThat(Ranks.floats(tensor)).isEqualTo(Ranks.values(0, 10));
            assertThat(solo.allReduce(3.5)).isEqualTo(3.5);
        }
    }
}
