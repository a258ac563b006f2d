package pacer.activities.host;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Records of {@code /dev/kmsg}, one a read, from the end on. Java's own files cannot be put at the end of a device ({@code lseek} with {@code SEEK_END}), and would begin with
 * what happened since the machine was started.
 */
final class KernelMessages {
    private static final int O_RDONLY = 0;
    private static final int O_CLOEXEC = 0x80000;
    private static final int SEEK_END = 2;
    private static final int EINTR = 4;
    private static final int EPIPE =
            32; // the reader was too slow: records were overwritten; the next read has the oldest there is

    /** Longer than any record that the kernel gives. */
    private static final int LONGEST = 1 << 14;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERROR = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle OPEN = function("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle SEEK =
            function("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    private static final MethodHandle READ =
            function("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle SAY = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

    private final int descriptor;
    private final MemorySegment record = Arena.ofAuto().allocate(LONGEST);
    private final MemorySegment state = Arena.ofAuto().allocate(STATE);

    private KernelMessages(int descriptor) {
        this.descriptor = descriptor;
    }

    private static MethodHandle function(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, ERRNO);
    }

    /** @throws IOException with the system's reason, such as that it is not permitted */
    static KernelMessages open(Path device) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int descriptor = (int) OPEN.invokeExact(state, arena.allocateFrom(device.toString()), O_RDONLY | O_CLOEXEC);
            if (descriptor < 0) {
                throw failed(state);
            }
            if ((long) SEEK.invokeExact(state, descriptor, 0L, SEEK_END) < 0) {
                throw failed(state);
            }
            return new KernelMessages(descriptor);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The next record, waited for: {@code priority,sequence,microseconds,flags;text}. */
    String next() throws IOException {
        try {
            while (true) {
                long count = (long) READ.invokeExact(state, descriptor, record, (long) LONGEST);
                if (count > 0) {
                    byte[] bytes = record.asSlice(0, count).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
                    return new String(bytes, StandardCharsets.UTF_8);
                }
                int error = count < 0 ? (int) ERROR.get(state, 0L) : 0;
                if (count == 0 || (error != EPIPE && error != EINTR)) {
                    throw count == 0 ? new IOException("it has an end") : failed(state);
                }
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static IOException failed(MemorySegment state) throws Throwable {
        MemorySegment words = (MemorySegment) SAY.invokeExact((int) ERROR.get(state, 0L));
        return new IOException(words.reinterpret(Long.MAX_VALUE).getString(0));
    }
}
