package pacer.trainer.ops;

import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/**
 * Memory and arithmetic of one training device as one lane sees it. Buffers are allocated while a run is planned and
 * live until the device closes.
 */
public interface Device extends AutoCloseable {

    /** The operations of this device. Calls take effect in the order in which they are made. */
    Operations operations();

    /** A zeroed, contiguous tensor, aligned for the widest vector. */
    Tensor allocate(String name, DType dtype, int... shape);

    /** As {@link #allocate}, with rows padded so that each starts aligned; the padding is never read as data. */
    Tensor allocatePadded(String name, DType dtype, int... shape);

    /** A tensor that holds {@code values} from now on, all its bytes. They are asked for where there is memory to hold them. */
    default Tensor constant(String name, DType dtype, Supplier<MemorySegment> values, int... shape) {
        Tensor tensor = allocate(name, dtype, shape);
        write(tensor, values.get());
        return tensor;
    }

    /** Copies host memory to a contiguous tensor. {@code from} holds exactly its bytes, little-endian. */
    void write(Tensor to, MemorySegment from);

    /** Copies a contiguous tensor to host memory, after all operations before it. */
    void read(Tensor from, MemorySegment to);

    /** One line for people: the device, its products' library and why that one. */
    String description();

    /** Bytes allocated so far. */
    long allocatedBytes();

    @Override
    void close();
}
