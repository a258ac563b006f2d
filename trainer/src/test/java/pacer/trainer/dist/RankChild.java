package pacer.trainer.dist;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.Arrays;
import pacer.trainer.ops.Tensor;

/** One rank as a process of its own: all-reduces as it is told and prints a hash of the result. */
final class RankChild {
    private RankChild() {}

    /** Arguments: rank, size, rendezvous, elements, rounds, timeout in milliseconds. */
    public static void main(String[] arguments) throws InterruptedException {
        int rank = Integer.parseInt(arguments[0]);
        int elements = Integer.parseInt(arguments[3]);
        int rounds = Integer.parseInt(arguments[4]);
        Group group = new Group(
                rank,
                Integer.parseInt(arguments[1]),
                "5pec",
                Group.tokenFromEnvironment(),
                Rendezvous.parse(arguments[2]),
                Duration.ofSeconds(60),
                Duration.ofMillis(Long.parseLong(arguments[5])));
        try (SocketCollectives collectives = SocketCollectives.join(group);
                Arena arena = Arena.ofConfined()) {
            Tensor tensor = Ranks.tensor(arena, Ranks.values(rank, elements));
            collectives.allReduce(tensor);
            System.out.println("reduced " + Arrays.hashCode(Ranks.floats(tensor)));
            for (int round = 0; round < rounds; round++) {
                collectives.allReduce(tensor);
                Thread.sleep(1);
            }
            System.out.println("done");
        } catch (CollectiveException e) {
            System.out.println(e.getMessage());
            System.exit(1);
        }
    }
}
