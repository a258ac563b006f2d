package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.List;
import pacer.trainer.dist.Partition.Piece;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Tensor;

/**
 * A number beside each of some elements of the flat tensors, kept from step to step.
 *
 * @param name as PyTorch names it, {@code exp_avg}
 * @param pieces of the flat tensors that it is beside
 * @param tensors one a piece
 */
record Moments(String name, List<Piece> pieces, List<Tensor> tensors) {

    static Moments allocate(Replica replica, String name, List<Piece> pieces) {
        List<Tensor> tensors = pieces.stream()
                .map(piece -> replica.device().allocate(name, DType.F32, Math.toIntExact(piece.size())))
                .toList();
        return new Moments(name, List.copyOf(pieces), tensors);
    }

    /** The view beside {@code shape} elements from element {@code from} of the flat tensors on, which lie in one piece. */
    Tensor at(long from, int... shape) {
        for (int i = 0; i < pieces.size(); i++) {
            if (from >= pieces.get(i).from() && from < pieces.get(i).to()) {
                return tensors.get(i).slice(name, from - pieces.get(i).from(), shape);
            }
        }
        throw new IllegalArgumentException("element " + from + " has no " + name + " here");
    }

    /** By parameter, what of it is here. */
    List<Optimizer.State> state(List<Parameter> parameters) {
        List<Optimizer.State> state = new ArrayList<>();
        for (Parameter p : parameters) {
            for (Piece piece : pieces) {
                long from = Math.max(p.offset(), piece.from());
                long to = Math.min(p.offset() + p.size(), piece.to());
                if (from < to) {
                    boolean whole = to - from == p.size();
                    int[] shape = whole
                            ? p.shape().stream().mapToInt(Integer::intValue).toArray()
                            : new int[] {Math.toIntExact(to - from)};
                    state.add(new Optimizer.State(name + "." + p.name(), at(from, shape), from - p.offset(), p.size()));
                }
            }
        }
        return state;
    }
}
