package pacer.workflows.metrics;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Supplier;
import pacer.workflows.metrics.GpuMeters.Gpu;

/** Asks the GPUs of this machine through NVIDIA's management library, which comes with the driver. */
final class Nvml implements Supplier<List<Gpu>> {
    private static final String LIBRARY = "libnvidia-ml.so.1";
    private static final int SUCCESS = 0;
    private static final int NAME_BYTES = 96;
    private static final int CHIP = 0; // NVML_TEMPERATURE_GPU
    private static final int UNCORRECTED = 1; // NVML_MEMORY_ERROR_TYPE_UNCORRECTED
    private static final int SINCE_LOADED = 0; // NVML_VOLATILE_ECC

    private final MethodHandle count;
    private final MethodHandle handle;
    private final MethodHandle name;
    private final MethodHandle utilization;
    private final MethodHandle memory;
    private final MethodHandle power;
    private final MethodHandle temperature;
    private final MethodHandle errors;

    private Nvml(SymbolLookup library) {
        count = function(library, "nvmlDeviceGetCount_v2", ADDRESS);
        handle = function(library, "nvmlDeviceGetHandleByIndex_v2", JAVA_INT, ADDRESS);
        name = function(library, "nvmlDeviceGetName", ADDRESS, ADDRESS, JAVA_INT);
        utilization = function(library, "nvmlDeviceGetUtilizationRates", ADDRESS, ADDRESS);
        memory = function(library, "nvmlDeviceGetMemoryInfo", ADDRESS, ADDRESS);
        power = function(library, "nvmlDeviceGetPowerUsage", ADDRESS, ADDRESS);
        temperature = function(library, "nvmlDeviceGetTemperature", ADDRESS, JAVA_INT, ADDRESS);
        errors = function(library, "nvmlDeviceGetTotalEccErrors", ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
    }

    private static MethodHandle function(SymbolLookup library, String name, MemoryLayout... parameters) {
        return Linker.nativeLinker()
                .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, parameters));
    }

    /** Empty where this machine has no driver for GPUs. */
    static Optional<Nvml> open() {
        return open(LIBRARY);
    }

    static Optional<Nvml> open(String library) {
        try {
            SymbolLookup found = SymbolLookup.libraryLookup(library, Arena.global());
            Nvml nvml = new Nvml(found);
            return call(function(found, "nvmlInit_v2")) == SUCCESS ? Optional.of(nvml) : Optional.empty();
        } catch (IllegalArgumentException | NoSuchElementException absent) {
            return Optional.empty();
        }
    }

    @Override
    public List<Gpu> get() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_INT);
            List<Gpu> gpus = new ArrayList<>();
            if (call(count, number) == SUCCESS) {
                for (int i = 0; i < number.get(JAVA_INT, 0); i++) {
                    gpus.add(read(i, arena));
                }
            }
            return gpus;
        }
    }

    private Gpu read(int index, Arena arena) {
        MemorySegment pointer = arena.allocate(ADDRESS);
        if (call(handle, index, pointer) != SUCCESS) {
            return new Gpu(index, "", false, null, null, null, null, null, null);
        }
        MemorySegment device = pointer.get(ADDRESS, 0);
        MemorySegment text = arena.allocate(NAME_BYTES);
        String model = call(name, device, text, NAME_BYTES) == SUCCESS ? text.getString(0) : "";
        MemorySegment rates = arena.allocate(2 * JAVA_INT.byteSize(), JAVA_INT.byteSize()); // gpu, memory, percent
        MemorySegment bytes = arena.allocate(3 * JAVA_LONG.byteSize(), JAVA_LONG.byteSize()); // total, free, used
        boolean known = call(memory, device, bytes) == SUCCESS;
        MemorySegment milliwatts = arena.allocate(JAVA_INT);
        MemorySegment celsius = arena.allocate(JAVA_INT);
        MemorySegment uncorrected = arena.allocate(JAVA_LONG);
        return new Gpu(
                index,
                model,
                known,
                call(utilization, device, rates) == SUCCESS ? rates.get(JAVA_INT, 0) / 100.0 : null,
                known ? Long.valueOf(bytes.getAtIndex(JAVA_LONG, 2)) : null,
                known ? Long.valueOf(bytes.getAtIndex(JAVA_LONG, 0)) : null,
                call(power, device, milliwatts) == SUCCESS ? milliwatts.get(JAVA_INT, 0) / 1e3 : null,
                call(temperature, device, CHIP, celsius) == SUCCESS ? (double) celsius.get(JAVA_INT, 0) : null,
                call(errors, device, UNCORRECTED, SINCE_LOADED, uncorrected) == SUCCESS
                        ? Long.valueOf(uncorrected.get(JAVA_LONG, 0))
                        : null);
    }

    private static int call(MethodHandle function, Object... arguments) {
        try {
            return (int) function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException("NVML", e);
        }
    }
}
