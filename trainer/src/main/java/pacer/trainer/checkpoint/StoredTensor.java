package pacer.trainer.checkpoint;

import static pacer.trainer.checkpoint.InvalidFileException.quote;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/**
 * A tensor inside an open {@link Safetensors}: row-major, little-endian. Valid until that is closed.
 *
 * @param name a name and nothing else: never used as a path
 * @param type element type in the file
 * @param shape dimensions, outermost first; none for a scalar; a dimension may be 0
 * @param bytes the content, mapped from the file, not aligned to its elements
 * @param file the file it lies in
 */
public record StoredTensor(String name, ElementType type, List<Long> shape, MemorySegment bytes, Path file) {

    /** Number of elements. */
    public long elements() {
        return bytes.byteSize() / type.bytes();
    }

    /** Writes every element, converted to float, to {@code to}: exactly {@code 4 * elements()} bytes, row-major. */
    public void toFloats(MemorySegment to) {
        if (to.byteSize() != 4 * elements()) {
            throw new IllegalArgumentException(
                    "tensor " + quote(name) + " has " + elements() + " elements; got room for " + to.byteSize() / 4.0);
        }
        if (type == ElementType.F32) {
            MemorySegment.copy(bytes, 0, to, 0, bytes.byteSize());
            return;
        }
        for (long i = 0; i < elements(); i++) {
            to.set(ElementType.FLOAT, 4 * i, type.floatAt(bytes, i));
        }
    }

    /** Every element, converted to float, row-major. Throws ArithmeticException beyond 2³¹ - 1 elements. */
    public float[] floats() {
        float[] floats = new float[Math.toIntExact(elements())];
        toFloats(MemorySegment.ofArray(floats));
        return floats;
    }

    /** Every element of an integer tensor, row-major; fails where a value does not fit an int. */
    public int[] ints() throws InvalidFileException {
        if (!type.fitsLong()) {
            throw new InvalidFileException(file, "tensor " + quote(name), type + " where integers are needed");
        }
        int[] ints = new int[Math.toIntExact(elements())];
        if (type == ElementType.I32) {
            MemorySegment.copy(bytes, 0, MemorySegment.ofArray(ints), 0, bytes.byteSize());
            return ints;
        }
        for (int i = 0; i < ints.length; i++) {
            long value = type.longAt(bytes, i);
            if (value != (int) value) {
                throw new InvalidFileException(
                        file, "tensor " + quote(name) + ", element " + i, value + " does not fit 32 bits");
            }
            ints[i] = (int) value;
        }
        return ints;
    }

    /** The raw content, copied. Throws ArithmeticException beyond 2³¹ - 1 bytes. */
    public byte[] toByteArray() {
        return bytes.toArray(ValueLayout.JAVA_BYTE);
    }
}
