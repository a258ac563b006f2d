package pacer.trainer.ops.cpu;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;

/**
 * The CPU. Memory is off the Java heap, addresses are raw. One device serves one lane: its operations are called by one
 * thread at a time, and may divide their work over a crew of their own.
 */
public final class CpuDevice implements Device {
    /** A cache line, and the widest vector. */
    private static final long ALIGNMENT = 64;
    /** Room behind each tensor that kernels may read, never write. */
    private static final long TAIL = 128;

    private final Arena arena = Arena.ofShared();
    private final AtomicLong allocated = new AtomicLong();
    private final Gemm gemm;
    private final Crew crew;
    private final CpuOperations operations;

    private CpuDevice(Gemm gemm, int threads) {
        this.gemm = gemm;
        this.crew = new Crew(threads, "op");
        this.operations = new CpuOperations(gemm, crew);
    }

    /**
     * A device of {@code threads} threads, the calling one included.
     *
     * @param cache folder in which native libraries are unpacked once
     * @throws IOException when a product library asked for by name cannot be had
     */
    public static CpuDevice open(int threads, Gemms.Kind products, Path cache) throws IOException {
        return new CpuDevice(Gemms.choose(products, cache), threads);
    }

    /** Another device for another lane: the same product library, its own memory and its own {@code threads}. */
    public CpuDevice sibling(int threads) {
        return new CpuDevice(gemm, threads);
    }

    /**
     * Bytes of working memory that attention takes beside tensors in a training, on one device.
     *
     * @param threads of the device
     * @param heads of all sequences that go through at once
     * @param length tokens a sequence
     * @param width of a head
     * @param output dtype of attention's output, and {@code gradients} of what it takes
     */
    public static long attentionWorkspace(
            int threads, int heads, int length, int width, DType output, DType gradients) {
        return AttentionWorkspace.bytes(threads, heads, length, width, output, gradients);
    }

    @Override
    public Operations operations() {
        return operations;
    }

    @Override
    public Tensor allocate(String name, DType dtype, int... shape) {
        return allocate(name, dtype, shape[shape.length - 1], shape);
    }

    @Override
    public Tensor allocatePadded(String name, DType dtype, int... shape) {
        return allocate(name, dtype, dtype.paddedStride(shape[shape.length - 1]), shape);
    }

    private Tensor allocate(String name, DType dtype, long rowStride, int... shape) {
        Tensor shaped = new Tensor(name, dtype, 0, rowStride, shape);
        long bytes = shaped.rows() * rowStride * dtype.bytes();
        allocated.addAndGet(bytes);
        return new Tensor(name, dtype, arena.allocate(bytes + TAIL, ALIGNMENT).address(), rowStride, shape);
    }

    @Override
    public void write(Tensor to, MemorySegment from) {
        sameSize(to, from).copyFrom(from);
    }

    @Override
    public void read(Tensor from, MemorySegment to) {
        to.copyFrom(sameSize(from, to));
    }

    private static MemorySegment sameSize(Tensor tensor, MemorySegment other) {
        MemorySegment memory = host(tensor);
        if (memory.byteSize() != other.byteSize()) {
            throw new IllegalArgumentException("copying between " + tensor + " of " + memory.byteSize() + " bytes and "
                    + other.byteSize() + " bytes");
        }
        return memory;
    }

    /** The memory of a contiguous tensor of this or a sibling device. */
    public static MemorySegment host(Tensor t) {
        if (!t.isContiguous()) {
            throw new IllegalArgumentException(t + " is not contiguous");
        }
        return MemorySegment.ofAddress(t.address())
                .reinterpret(t.size() * t.dtype().bytes());
    }

    @Override
    public String description() {
        return "CPU, " + crew.size() + (crew.size() == 1 ? " thread" : " threads") + " a lane, vectors of "
                + Vectors.LANES * 32 + " bits, products by " + gemm.description();
    }

    @Override
    public long allocatedBytes() {
        return allocated.get();
    }

    @Override
    public void close() {
        crew.close();
        operations.close();
        arena.close();
    }
}
