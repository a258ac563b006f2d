package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import pacer.trainer.dist.Partition;
import pacer.trainer.dist.Partition.Piece;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Parameters;
import pacer.trainer.spec.OptimizerSpec;

/**
 * Which rank updates what. Parameters that a rule takes whole go to ranks by what they cost, the dearest first to the rank that has least;
 * elements of the others are divided equally. It follows from model, rule and number of ranks, so that no rank has to be asked.
 *
 * @param whole by rank, what is updated whole
 * @param elements by rank, stretches of the flat tensors that are updated element by element
 */
record Division(List<List<Whole>> whole, List<List<Piece>> elements) {
    /** Elements that are not divided further: a cache line. */
    private static final long UNIT = 64;

    /** Iterations that a matrix goes through, each with three products. */
    private static final double NEWTON_SCHULZ = 5;

    /**
     * What a rule updates whole.
     *
     * @param parameters that it covers, or the one that it is a part of
     * @param from its first element in the flat tensors
     * @param cost in proportion to others'
     */
    record Whole(List<Parameter> parameters, long from, int rows, int columns, double cost) {
        static Whole of(Parameter p, int rows, int columns) {
            return new Whole(List.of(p), p.offset(), rows, columns, p.size());
        }

        /** A matrix that is orthogonalized: by the operations of XXᵀ, its square, and their product with X. */
        static Whole matrix(List<Parameter> parameters, long from, int rows, int columns) {
            double n = Math.min(rows, columns);
            double m = Math.max(rows, columns);
            return new Whole(parameters, from, rows, columns, NEWTON_SCHULZ * 2 * n * n * (2 * m + n));
        }

        long size() {
            return (long) rows * columns;
        }
    }

    /** Of the parameters that {@code spec}'s rule takes whole, and of all others, over {@code ranks}. */
    static Division of(Parameters parameters, OptimizerSpec spec, int ranks) {
        List<Parameter> taken =
                parameters.all().stream().filter(p -> isWhole(spec.type(), p)).toList();
        List<Whole> whole = spec.type() == OptimizerSpec.Type.MUON
                ? Muon.matrices(spec, taken)
                : taken.stream()
                        .map(p -> Whole.of(
                                p,
                                p.shape().getFirst(),
                                p.shape().size() == 2 ? p.shape().getLast() : 1))
                        .toList();
        return new Division(byCost(whole, ranks), divided(stretches(parameters.all(), Set.copyOf(taken)), ranks));
    }

    private static boolean isWhole(OptimizerSpec.Type type, Parameter p) {
        return switch (type) {
            case ADAMW -> false;
            case STRIPED_ADAMW -> p.shape().size() == 2;
            case ADAFACTOR -> true; // it has a form for vectors
            case MUON -> p.role() == Parameter.Role.MATRIX;
        };
    }

    /** {@code all} over {@code bins}, as equal in cost as the dearest first makes it; in each in the order of the flat tensors. */
    static List<List<Whole>> byCost(List<Whole> all, int bins) {
        double[] load = new double[bins];
        List<List<Whole>> divided = new ArrayList<>();
        for (int bin = 0; bin < bins; bin++) {
            divided.add(new ArrayList<>());
        }
        List<Whole> dearest = all.stream()
                .sorted(Comparator.comparingDouble(Whole::cost).reversed().thenComparing(Whole::from))
                .toList();
        for (Whole one : dearest) {
            int least = 0;
            for (int bin = 1; bin < bins; bin++) {
                least = load[bin] < load[least] ? bin : least;
            }
            load[least] += one.cost();
            divided.get(least).add(one);
        }
        divided.forEach(bin -> bin.sort(Comparator.comparing(Whole::from)));
        return divided;
    }

    /** What is not {@code taken}, in stretches: the gaps between parameters are zero everywhere and stay so, so a stretch may go over them. */
    private static List<Piece> stretches(List<Parameter> all, Set<Parameter> taken) {
        List<Piece> stretches = new ArrayList<>();
        boolean open = false;
        for (Parameter p : all) {
            if (!taken.contains(p)) {
                long from = open ? stretches.removeLast().from() : p.offset();
                stretches.add(new Piece(from, p.offset() + p.size()));
            }
            open = !taken.contains(p);
        }
        return stretches;
    }

    /** Equal parts of {@code stretches}, one after the other, by rank. */
    static List<List<Piece>> divided(List<Piece> stretches, int ranks) {
        long all = stretches.stream().mapToLong(Piece::size).sum();
        long each = Math.ceilDiv(Math.ceilDiv(all, ranks), UNIT) * UNIT;
        List<List<Piece>> parts = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            parts.add(part(stretches, each * rank, Math.min(all, each * (rank + 1))));
        }
        return parts;
    }

    /** Elements [from, to) of {@code pieces} laid end to end. */
    static List<Piece> part(List<Piece> pieces, long from, long to) {
        List<Piece> part = new ArrayList<>();
        long at = 0;
        for (Piece piece : pieces) {
            long begin = Math.max(from, at);
            long end = Math.min(to, at + piece.size());
            if (begin < end) {
                part.add(new Piece(piece.from() + begin - at, piece.from() + end - at));
            }
            at += piece.size();
        }
        return part;
    }

    /** What is each rank's, of weights and gradients alike. */
    Partition partition() {
        List<List<Piece>> shards = new ArrayList<>();
        for (int rank = 0; rank < whole.size(); rank++) {
            shards.add(joined(Stream.concat(
                            whole.get(rank).stream().map(w -> new Piece(w.from(), w.from() + w.size())),
                            elements.get(rank).stream())
                    .toList()));
        }
        return new Partition(shards);
    }

    /** {@code pieces} in order, those that follow one another as one. */
    static List<Piece> joined(List<Piece> pieces) {
        Piece[] sorted = pieces.toArray(Piece[]::new);
        Arrays.sort(sorted, Comparator.comparing(Piece::from));
        List<Piece> joined = new ArrayList<>();
        for (Piece piece : sorted) {
            boolean follows = !joined.isEmpty() && joined.getLast().to() == piece.from();
            joined.add(follows ? new Piece(joined.removeLast().from(), piece.to()) : piece);
        }
        return joined;
    }
}
