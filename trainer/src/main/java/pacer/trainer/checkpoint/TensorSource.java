package pacer.trainer.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;

/**
 * A tensor to be written: what it is, and its bytes, asked for piece by piece while the file is written. Sources may be read
 * on another thread than they were made on; what they read must stay as it is until then (or see {@link #snapshot}).
 *
 * @param name the reference implementation's name of it
 * @param type element type in the file
 * @param shape dimensions, outermost first
 * @param content its bytes, row-major, little-endian
 */
public record TensorSource(String name, ElementType type, List<Long> shape, Content content) {

    /** The bytes of a tensor. */
    @FunctionalInterface
    public interface Content {
        /**
         * Bytes {@code offset} to {@code offset + length} of the tensor: its own memory where it can be read in place,
         * else copied to the start of {@code scratch}, which has at least {@code length} bytes.
         */
        MemorySegment read(long offset, long length, MemorySegment scratch) throws IOException;
    }

    public TensorSource {
        shape = List.copyOf(shape);
        if (name.equals("__metadata__") || !InvalidFileException.isPaired(name) || name.length() > 10_000) {
            throw new IllegalArgumentException("no tensor can be called " + InvalidFileException.quote(name));
        }
    }

    /** A tensor whose bytes are {@code bytes}, not copied. */
    public static TensorSource of(String name, ElementType type, MemorySegment bytes, long... shape) {
        TensorSource source = new TensorSource(
                name,
                type,
                Arrays.stream(shape).boxed().toList(),
                (offset, length, scratch) -> bytes.asSlice(offset, length));
        if (source.bytes() != bytes.byteSize()) {
            throw new IllegalArgumentException("tensor " + name + " " + source.shape + " of " + type + " needs "
                    + source.bytes() + " bytes; got " + bytes.byteSize());
        }
        return source;
    }

    /** A contiguous tensor of a device under its own name, copied off the device piece by piece when written. */
    public static TensorSource of(Device device, Tensor tensor) {
        if (!tensor.isContiguous()) {
            throw new IllegalArgumentException(
                    "only a contiguous tensor can be written; " + tensor + " has padded rows");
        }
        int width = tensor.dtype().bytes();
        return new TensorSource(
                tensor.name(),
                ElementType.of(tensor.dtype()),
                Arrays.stream(tensor.shape()).mapToObj(d -> (long) d).toList(),
                (offset, length, scratch) -> {
                    MemorySegment piece = scratch.asSlice(0, length);
                    device.read(tensor.slice(tensor.name(), offset / width, Math.toIntExact(length / width)), piece);
                    return piece;
                });
    }

    /** The same tensor under another name. */
    public TensorSource named(String other) {
        return new TensorSource(other, type, shape, content);
    }

    /** The same tensor with its bytes copied to {@code arena} now, so that training may go on while it is written. */
    public TensorSource snapshot(Arena arena) throws IOException {
        MemorySegment copy = copyTo(arena);
        return new TensorSource(name, type, shape, (offset, length, scratch) -> copy.asSlice(offset, length));
    }

    /** The whole content, in memory of {@code arena}. */
    MemorySegment copyTo(Arena arena) throws IOException {
        MemorySegment copy = arena.allocate(bytes(), 64);
        for (long at = 0; at < copy.byteSize(); at += SafetensorsWriter.PIECE) {
            MemorySegment to = copy.asSlice(at, Math.min(SafetensorsWriter.PIECE, copy.byteSize() - at));
            MemorySegment from = content.read(at, to.byteSize(), to);
            if (from.address() != to.address()) {
                to.copyFrom(from);
            }
        }
        return copy;
    }

    /** Length in bytes. Throws ArithmeticException at 2⁶³ and beyond. */
    public long bytes() {
        long bytes = type.bytes();
        for (long dimension : shape) {
            bytes = Math.multiplyExact(bytes, dimension);
        }
        return bytes;
    }
}
