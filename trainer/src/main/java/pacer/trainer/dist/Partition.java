package pacer.trainer.dist;

import java.util.ArrayList;
import java.util.List;

/**
 * Which elements of a flat tensor are whose: by rank, pieces that rise and do not overlap. What is nobody's stays as it is everywhere.
 *
 * @param shards by rank, its pieces
 */
public record Partition(List<List<Piece>> shards) {
    /** A cache line of floats, and more than the widest vector. */
    private static final long UNIT = 64;

    /** Elements [from, to). */
    public record Piece(long from, long to) {
        public Piece {
            if (from < 0 || from >= to) {
                throw new IllegalArgumentException("elements " + from + " to " + to + " are no piece of a tensor");
            }
        }

        public long size() {
            return to - from;
        }
    }

    public Partition {
        shards = shards.stream().map(List::copyOf).toList();
    }

    /** One piece a rank, equally long but the last ones; each begins at a multiple of 64 elements. */
    public static Partition even(long elements, int ranks) {
        long each = Math.ceilDiv(Math.ceilDiv(elements, ranks), UNIT) * UNIT;
        List<List<Piece>> shards = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            long from = Math.min(elements, each * rank);
            long to = Math.min(elements, each * (rank + 1));
            shards.add(from < to ? List.of(new Piece(from, to)) : List.of());
        }
        return new Partition(shards);
    }
}
