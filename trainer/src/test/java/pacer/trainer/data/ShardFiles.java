package pacer.trainer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files of tokens for tests, and windows read out of them. */
final class ShardFiles {
    private ShardFiles() {}

    /** A shard whose token i is first + i, so that a window tells where it was cut. */
    static Path counting(Path file, int first, int tokens) {
        char[] values = new char[tokens];
        for (int i = 0; i < tokens; i++) {
            values[i] = (char) (first + i);
        }
        try (ShardWriter writer = new ShardWriter(file, tokens)) {
            writer.write(values, 0, tokens);
            writer.finish();
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Little-endian int32 values, then zeros up to {@code size} bytes. */
    static Path raw(Path file, int size, int... values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            bytes.putInt(value);
        }
        return Files.write(file, bytes.array());
    }

    /** Inputs of a window, followed by its last target; fails if inputs and targets are not shifted by one. */
    static int[] window(TokenLoader loader, long sample, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment inputs = arena.allocate(ValueLayout.JAVA_INT, length + 4);
            MemorySegment targets = arena.allocate(ValueLayout.JAVA_INT, length + 4);
            inputs.fill((byte) -1);
            targets.fill((byte) -1);
            loader.window(sample, length, inputs, targets, 8);
            return joined(inputs, targets, length);
        }
    }

    private static int[] joined(MemorySegment inputs, MemorySegment targets, int length) {
        int[] in = inputs.toArray(ValueLayout.JAVA_INT);
        int[] out = targets.toArray(ValueLayout.JAVA_INT);
        int[] window = new int[length + 1];
        for (int i = 0; i < length; i++) {
            window[i] = in[i + 2];
            window[i + 1] = out[i + 2];
            if (i > 0 && in[i + 2] != out[i + 1]) {
                throw new AssertionError("target %d is %d, input %d is %d".formatted(i - 1, out[i + 1], i, in[i + 2]));
            }
        }
        for (int outside : new int[] {0, 1, length + 2, length + 3}) {
            if (in[outside] != -1 || out[outside] != -1) {
                throw new AssertionError("written outside of the window, at " + outside);
            }
        }
        return window;
    }
}
