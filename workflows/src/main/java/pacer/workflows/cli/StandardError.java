package pacer.workflows.cli;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Standard error as the launcher found it. While Java starts, the launcher filters what it says; from here on a filter would only
 * bring lines out of turn, or late.
 */
final class StandardError {
    private static final int ERROR = 2;

    private StandardError() {}

    /** Lets standard error be what the file descriptor {@code source} is; where that fails, the filter stays. */
    static void takeFrom(int source) {
        // the descriptor itself, not /dev/fd: opened anew, a file would be written over and a socket refused
        Linker linker = Linker.nativeLinker();
        linker.defaultLookup().find("dup2").ifPresent(address -> {
            MethodHandle dup2 = linker.downcallHandle(
                    address, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
            try {
                int _ = (int) dup2.invokeExact(source, ERROR);
            } catch (Throwable e) {
                throw new AssertionError(e); // a C function throws nothing
            }
        });
    }
}
