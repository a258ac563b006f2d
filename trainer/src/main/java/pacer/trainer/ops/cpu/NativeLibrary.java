package pacer.trainer.ops.cpu;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A native library that comes in a jar: unpacked once into the cache, then loaded through the Foreign Function API. Pointers are
 * declared as longs, which every 64-bit calling convention passes alike, so that a call makes no objects.
 */
final class NativeLibrary {
    static final ValueLayout.OfLong POINTER = ValueLayout.JAVA_LONG;

    private static final Linker LINKER = Linker.nativeLinker();

    private final String name;
    private final SymbolLookup symbols;

    private NativeLibrary(String name, SymbolLookup symbols) {
        this.name = name;
        this.symbols = symbols;
    }

    /**
     * Loads {@code files} from {@code folder} of the class path, in order; symbols are looked up in the last.
     *
     * @throws IOException when a file is not on the class path or cannot be unpacked or loaded
     */
    static NativeLibrary load(Path cache, String folder, String... files) throws IOException {
        List<PackedLibrary> packed = new ArrayList<>();
        for (String file : files) {
            packed.add(PackedLibrary.of(folder + "/" + file));
        }
        // one folder for those that belong together
        String version = packed.stream().map(PackedLibrary::version).collect(Collectors.joining("-"));
        SymbolLookup last = null;
        for (int i = 0; i < files.length; i++) {
            Path library = cache.resolve("native").resolve(version).resolve(files[i]);
            packed.get(i).unpackTo(library);
            try {
                last = SymbolLookup.libraryLookup(library, Arena.global());
            } catch (IllegalArgumentException e) {
                throw new IOException("cannot load " + library + ": " + e.getMessage(), e);
            }
        }
        return new NativeLibrary(files[files.length - 1], last);
    }

    /** A handle on function {@code symbol}. */
    MethodHandle function(String symbol, FunctionDescriptor type) throws IOException {
        return LINKER.downcallHandle(
                symbols.find(symbol).orElseThrow(() -> new IOException(name + " lacks " + symbol)), type);
    }

    /** Sets an environment variable of this process, for libraries that read theirs when they are loaded. */
    static void setEnvironment(String variable, String value) {
        MethodHandle setenv = LINKER.downcallHandle(
                LINKER.defaultLookup().find("setenv").orElseThrow(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int status = (int) setenv.invokeExact(arena.allocateFrom(variable), arena.allocateFrom(value), 1);
            if (status != 0) {
                throw new IllegalStateException("setenv " + variable + " failed");
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
