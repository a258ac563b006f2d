package pacer.trainer.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.PlanningDevice;
import pacer.trainer.ops.cpu.CpuDevice;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.ops.reference.ReferenceDevice;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/**
 * What a rank computes with.
 *
 * @param kind which device
 * @param threads CPU threads of this rank
 * @param precision arithmetic of the linear layers
 * @param products library of matrix products on the CPU
 * @param cache folder in which native libraries are unpacked once
 * @param policy what models compute anew rather than hold
 */
public record Engine(
        Kind kind, int threads, Precision precision, Gemms.Kind products, Path cache, MemoryPolicy policy) {

    public Engine {
        if (precision == Precision.AUTO) {
            throw new IllegalArgumentException("precision auto stands for another one; see SpecResolver");
        }
    }

    /** One that holds what it computes. */
    public Engine(Kind kind, int threads, Precision precision, Gemms.Kind products, Path cache) {
        this(kind, threads, precision, products, cache, MemoryPolicy.STANDARD);
    }

    /** Devices. */
    public enum Kind {
        CPU,
        /** The scalar specification: exact and slow, for small models. */
        REFERENCE
    }

    /**
     * Models up to this size take a lane a thread. Above it a second set of gradients costs more than lanes save, see
     * docs/log.md.
     */
    private static final long LANES_UP_TO = 32_000_000;

    /** Lanes for micro-batches of {@code sequences}: a function of the resolved spec alone, for it is part of what fixes the bits. */
    public int lanes(ModelSpec model, int sequences) {
        return kind == Kind.CPU && Parameters.of(model).size() <= LANES_UP_TO ? Math.min(threads, sequences) : 1;
    }

    /**
     * Tokens a pass has at least: as few as keep the products busy, so that activations stay in the cache and take little
     * memory. The larger the model, the more tokens it takes to pay for reading its weights and adding to its gradients again.
     */
    private static int passTokens(ModelSpec model) {
        long size = Parameters.of(model).size();
        return size <= 2_000_000 ? 128 : size <= LANES_UP_TO ? 512 : 2048;
    }

    /** What {@link #open} would allocate for training; nothing but counting can be done with it. */
    public Replica plan(ModelSpec model, int sequences, int length) {
        List<Device> devices = new ArrayList<>();
        for (int lane = 0; lane < lanes(model, sequences); lane++) {
            devices.add(new PlanningDevice());
        }
        return replica(model, devices, sequences, length, true);
    }

    /** What a device that divides nothing would allocate for training: the micro-batch whole, in one pass. */
    public static Replica planWhole(ModelSpec model, MemoryPolicy policy, DType products, int sequences, int length) {
        return new Replica(
                model, policy, List.of(new PlanningDevice()), products, sequences, length, Integer.MAX_VALUE, true);
    }

    /**
     * Plans a copy of {@code model} for micro-batches of {@code sequences} of {@code length} tokens.
     *
     * @param training whether it will run backward passes
     * @throws IOException when a product library asked for by name cannot be had
     */
    public Replica open(ModelSpec model, int sequences, int length, boolean training) throws IOException {
        int lanes = lanes(model, sequences);
        List<Device> devices = new ArrayList<>();
        switch (kind) {
            case REFERENCE -> devices.add(new ReferenceDevice());
            case CPU -> {
                CpuDevice first = CpuDevice.open(threads / lanes, products, cache);
                devices.add(first);
                for (int lane = 1; lane < lanes; lane++) {
                    devices.add(first.sibling(threads / lanes));
                }
            }
        }
        return replica(model, devices, sequences, length, training);
    }

    /**
     * A device with all threads, for operations without a model.
     *
     * @throws IOException when a product library asked for by name cannot be had
     */
    public Device device() throws IOException {
        return switch (kind) {
            case REFERENCE -> new ReferenceDevice();
            case CPU -> CpuDevice.open(threads, products, cache);
        };
    }

    /** Of the factors of products. */
    public DType factors() {
        return precision == Precision.BF16 ? DType.BF16 : DType.F32;
    }

    private Replica replica(ModelSpec model, List<Device> devices, int sequences, int length, boolean training) {
        return new Replica(model, policy, devices, factors(), sequences, length, passTokens(model), training);
    }
}
