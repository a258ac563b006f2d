package pacer.trainer.ops.reference;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import pacer.trainer.ops.BFloat16;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;

/**
 * The device whose arithmetic is the specification: plain loops in double precision over host memory. Slow, and safe:
 * every access is checked against the memory that was allocated here. May be used by several threads at once.
 */
public final class ReferenceDevice implements Device {
    private static final int ALIGNMENT = 64;
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BF16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofShared();
    private final ConcurrentSkipListMap<Long, MemorySegment> allocations = new ConcurrentSkipListMap<>();
    private final AtomicLong allocatedBytes = new AtomicLong();
    private final Operations operations = new ReferenceOperations(this);

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
        Tensor planned = new Tensor(name, dtype, 0, rowStride, shape);
        long bytes = Math.multiplyExact(planned.rows() * rowStride, (long) dtype.bytes());
        MemorySegment memory = arena.allocate(bytes, ALIGNMENT);
        allocations.put(memory.address(), memory);
        allocatedBytes.addAndGet(bytes);
        return new Tensor(name, dtype, memory.address(), rowStride, shape);
    }

    @Override
    public void write(Tensor to, MemorySegment from) {
        contiguousMemory(to, from.byteSize()).copyFrom(from);
    }

    @Override
    public void read(Tensor from, MemorySegment to) {
        to.copyFrom(contiguousMemory(from, to.byteSize()));
    }

    private MemorySegment contiguousMemory(Tensor tensor, long hostBytes) {
        long bytes = tensor.size() * tensor.dtype().bytes();
        if (!tensor.isContiguous() || bytes != hostBytes) {
            throw new IllegalArgumentException("cannot copy between " + tensor + " (" + bytes + " bytes, "
                    + (tensor.isContiguous() ? "contiguous" : "not contiguous") + ") and " + hostBytes
                    + " bytes of host memory: sizes must be equal and the tensor contiguous");
        }
        return memory(tensor);
    }

    @Override
    public String description() {
        return "reference: scalar loops in double precision, one thread";
    }

    @Override
    public long allocatedBytes() {
        return allocatedBytes.get();
    }

    @Override
    public void close() {
        arena.close();
    }

    // ------------------------------------------------------------------ what the operations see

    /** A tensor's rows as doubles, padding left out: [rows][columns]. */
    public double[][] load(Tensor tensor) {
        MemorySegment memory = memory(tensor);
        double[][] values = new double[tensor.rows()][tensor.columns()];
        for (int r = 0; r < values.length; r++) {
            for (int c = 0; c < values[r].length; c++) {
                long element = r * tensor.rowStride() + c;
                values[r][c] = switch (tensor.dtype()) {
                    case F32 -> memory.get(F32, element * 4);
                    case BF16 -> BFloat16.toFloat(memory.get(BF16, element * 2));
                    case I32 -> memory.get(I32, element * 4);
                };
            }
        }
        return values;
    }

    /** Rounds {@code values} to the tensor's dtype; the padding between its rows stays as it is. */
    public void store(Tensor tensor, double[][] values) {
        MemorySegment memory = memory(tensor);
        for (int r = 0; r < values.length; r++) {
            for (int c = 0; c < values[r].length; c++) {
                long element = r * tensor.rowStride() + c;
                switch (tensor.dtype()) {
                    case F32 -> memory.set(F32, element * 4, (float) values[r][c]);
                    case BF16 -> memory.set(BF16, element * 2, BFloat16.fromFloat((float) values[r][c]));
                    case I32 -> memory.set(I32, element * 4, (int) values[r][c]);
                }
            }
        }
    }

    /** Elements [from, to) of a contiguous F32 tensor. */
    public double[] load(Tensor tensor, long from, long to) {
        MemorySegment memory = memory(tensor);
        double[] values = new double[Math.toIntExact(to - from)];
        for (int i = 0; i < values.length; i++) {
            values[i] = memory.get(F32, (from + i) * 4);
        }
        return values;
    }

    /** Writes elements from {@code from} on of a contiguous F32 tensor. */
    public void store(Tensor tensor, long from, double[] values) {
        MemorySegment memory = memory(tensor);
        for (int i = 0; i < values.length; i++) {
            memory.set(F32, (from + i) * 4, (float) values[i]);
        }
    }

    /** A contiguous tensor of integers. */
    public int[] loadIntegers(Tensor tensor) {
        MemorySegment memory = memory(tensor);
        int[] values = new int[Math.toIntExact(tensor.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = memory.get(I32, i * 4L);
        }
        return values;
    }

    /** The bytes from a tensor's first element to its last. */
    private MemorySegment memory(Tensor tensor) {
        long elements = (tensor.rows() - 1) * tensor.rowStride() + tensor.columns();
        long bytes = elements * tensor.dtype().bytes();
        Map.Entry<Long, MemorySegment> allocation = allocations.floorEntry(tensor.address());
        if (allocation == null
                || tensor.address() - allocation.getKey() + bytes
                        > allocation.getValue().byteSize()) {
            throw new IllegalArgumentException(
                    tensor + " is not memory of the reference device; allocate tensors on the device that computes");
        }
        return allocation.getValue().asSlice(tensor.address() - allocation.getKey(), bytes);
    }
}
