package pacer.trainer.ops;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A device that only counts what would be allocated on it. Its tensors have no memory, and it has no operations. */
public final class PlanningDevice implements Device {
    private final List<Planned> planned = new ArrayList<>();

    /** A tensor that would be allocated. */
    public record Planned(String name, long bytes) {}

    /** All so far, in their order. */
    public List<Planned> planned() {
        return List.copyOf(planned);
    }

    @Override
    public Operations operations() {
        return null; // whoever is planned keeps them for later, and there is no later
    }

    @Override
    public Tensor allocate(String name, DType dtype, int... shape) {
        return count(new Tensor(name, dtype, 0, shape[shape.length - 1], shape));
    }

    @Override
    public Tensor allocatePadded(String name, DType dtype, int... shape) {
        return count(new Tensor(name, dtype, 0, dtype.paddedStride(shape[shape.length - 1]), shape));
    }

    @Override
    public Tensor constant(String name, DType dtype, Supplier<MemorySegment> values, int... shape) {
        return allocate(name, dtype, shape);
    }

    private Tensor count(Tensor tensor) {
        planned.add(new Planned(
                tensor.name(),
                tensor.rows() * tensor.rowStride() * tensor.dtype().bytes()));
        return tensor;
    }

    @Override
    public void write(Tensor to, MemorySegment from) {
        throw new UnsupportedOperationException(to + " is only planned");
    }

    @Override
    public void read(Tensor from, MemorySegment to) {
        throw new UnsupportedOperationException(from + " is only planned");
    }

    @Override
    public String description() {
        return "a plan";
    }

    @Override
    public long allocatedBytes() {
        return planned.stream().mapToLong(Planned::bytes).sum();
    }

    @Override
    public void close() {
        // holds nothing
    }
}
