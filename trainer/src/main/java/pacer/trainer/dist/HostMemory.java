package pacer.trainer.dist;

import java.lang.foreign.MemorySegment;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Tensor;

/** The bytes of tensors whose addresses are raw host addresses. */
final class HostMemory {
    private HostMemory() {}

    /** All bytes of a contiguous tensor. */
    static MemorySegment of(Tensor tensor) {
        if (!tensor.isContiguous()) {
            throw new IllegalArgumentException(tensor
                    + " has padded rows; ranks exchange contiguous tensors only, so pass the tensor it is a view of");
        }
        return MemorySegment.ofAddress(tensor.address())
                .reinterpret(tensor.size() * tensor.dtype().bytes());
    }

    /** All bytes of a contiguous tensor of a type that ranks can add up. */
    static MemorySegment ofSummable(Tensor tensor) {
        if (tensor.dtype() != DType.F32) {
            throw new IllegalArgumentException(tensor + " cannot be summed over ranks: sums are taken in F32 only");
        }
        return of(tensor);
    }
}
