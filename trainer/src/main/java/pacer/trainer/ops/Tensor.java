package pacer.trainer.ops;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * A named block of device memory seen as rows of equal length.
 *
 * <p>The address means what its {@link Device} says it means: a raw host address on the CPU, a device pointer on a GPU.
 * The last dimension is contiguous; consecutive rows lie {@link #rowStride()} elements apart, which is more than the
 * last dimension for a view of some columns (queries inside a query-key-value product) and for padded rows (logits).
 * Immutable; views are cheap but planned once, because a training step allocates nothing.
 */
public final class Tensor {
    private final String name;
    private final DType dtype;
    private final long address;
    private final int[] shape;
    private final long rowStride;

    /** For devices: a tensor at {@code address} with {@code rowStride} elements between its rows. */
    public Tensor(String name, DType dtype, long address, long rowStride, int... shape) {
        if (shape.length == 0 || Arrays.stream(shape).anyMatch(d -> d < 1)) {
            throw new IllegalArgumentException(
                    "tensor " + name + " has shape " + Arrays.toString(shape) + "; every dimension must be at least 1");
        }
        this.name = name;
        this.dtype = dtype;
        this.address = address;
        this.shape = shape.clone();
        this.rowStride = rowStride;
    }

    public String name() {
        return name;
    }

    public DType dtype() {
        return dtype;
    }

    /** First byte, in the device's address space. */
    public long address() {
        return address;
    }

    /** Elements from the start of one row to the start of the next. */
    public long rowStride() {
        return rowStride;
    }

    /** Number of dimensions. */
    public int rank() {
        return shape.length;
    }

    public int dim(int axis) {
        return shape[axis];
    }

    public int[] shape() {
        return shape.clone();
    }

    /** The last dimension. */
    public int columns() {
        return shape[shape.length - 1];
    }

    /** Product of all dimensions but the last. */
    public int rows() {
        return Math.toIntExact(size() / columns());
    }

    /** Number of elements (padding between rows not counted). */
    public long size() {
        long size = 1;
        for (int d : shape) {
            size = Math.multiplyExact(size, (long) d);
        }
        return size;
    }

    /** Whether rows follow each other without padding. */
    public boolean isContiguous() {
        return rowStride == columns();
    }

    /** Address of the first element of row {@code row}. */
    public long rowAddress(long row) {
        return address + row * rowStride * dtype.bytes();
    }

    /** A view of columns {@code from} to {@code from + count} of every row. */
    public Tensor columns(String viewName, int from, int count) {
        if (from < 0 || count < 1 || from + count > columns()) {
            throw new IllegalArgumentException("columns " + from + " to " + (from + count) + " of " + this);
        }
        int[] view = shape.clone();
        view[view.length - 1] = count;
        return new Tensor(viewName, dtype, address + (long) from * dtype.bytes(), rowStride, view);
    }

    /** A view of {@code view} elements starting at element {@code from} of a contiguous tensor. */
    public Tensor slice(String viewName, long from, int... view) {
        Tensor t = new Tensor(viewName, dtype, address + from * dtype.bytes(), view[view.length - 1], view);
        if (!isContiguous() || from < 0 || from + t.size() > size()) {
            throw new IllegalArgumentException("elements " + from + " to " + (from + t.size()) + " of " + this);
        }
        return t;
    }

    @Override
    public String toString() {
        return name
                + Arrays.stream(shape).mapToObj(Integer::toString).collect(Collectors.joining(", ", " (", ") "))
                + dtype;
    }
}
