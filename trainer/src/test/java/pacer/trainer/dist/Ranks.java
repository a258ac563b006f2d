package pacer.trainer.dist;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Tensor;

/** Groups of ranks for tests, and tensors that differ by rank. */
final class Ranks {
    static final String TOKEN = "a secret of the ranks";

    private Ranks() {}

    /** What a rank does in a test. */
    interface Work<T> {
        T run(Collectives collectives) throws Exception;
    }

    static Group group(int rank, int size, Path file, Duration timeout) {
        return new Group(rank, size, "5pec", TOKEN, new Rendezvous.Published(file), Duration.ofSeconds(30), timeout);
    }

    /** Runs {@code work} on {@code size} ranks, each a thread; their results by rank. */
    static <T> List<T> run(int size, Path file, Work<T> work) throws InterruptedException, ExecutionException {
        try (ExecutorService threads = Executors.newFixedThreadPool(size)) {
            List<Future<T>> all = new ArrayList<>();
            for (int r = 0; r < size; r++) {
                int rank = r;
                all.add(threads.submit(() -> {
                    try (Collectives collectives =
                            SocketCollectives.join(group(rank, size, file, Duration.ofSeconds(20)))) {
                        return work.run(collectives);
                    }
                }));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> one : all) {
                results.add(one.get());
            }
            return results;
        }
    }

    /** Numbers of many magnitudes, so that the order of a sum shows in its bits. */
    static float[] values(int rank, int elements) {
        SplittableRandom random = new SplittableRandom(1000L * elements + rank);
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = (float) (random.nextDouble(-1, 1) * Math.pow(2, random.nextInt(-20, 20)));
        }
        return values;
    }

    /** ((rank 0 + rank 1) + rank 2) + … */
    static float[] sums(int size, int elements) {
        float[] sums = values(0, elements);
        for (int rank = 1; rank < size; rank++) {
            float[] next = values(rank, elements);
            for (int i = 0; i < elements; i++) {
                sums[i] += next[i];
            }
        }
        return sums;
    }

    static Tensor tensor(Arena arena, float[] values) {
        MemorySegment memory = arena.allocate(4L * values.length, 64);
        MemorySegment.copy(values, 0, memory, ValueLayout.JAVA_FLOAT, 0, values.length);
        return new Tensor("t", DType.F32, memory.address(), values.length, values.length);
    }

    static float[] floats(Tensor tensor) {
        return MemorySegment.ofAddress(tensor.address())
                .reinterpret(tensor.size() * tensor.dtype().bytes())
                .toArray(ValueLayout.JAVA_FLOAT);
    }
}
