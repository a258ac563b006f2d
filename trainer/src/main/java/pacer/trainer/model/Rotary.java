package pacer.trainer.model;

import java.lang.foreign.MemorySegment;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.RotaryTables;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** Tables of rotary positions on a device. */
record Rotary(
        Tensor cosines, // (maxT, D/2)
        Tensor sines) { // (maxT, D/2)

    /** For sequences of {@code length}; null where {@code model} has learned positions. */
    static Rotary of(ModelSpec model, Device device, int length) {
        int width = model.headWidth();
        double base = model.attention().rotaryBase();
        return switch (model.attention().positions()) {
            case LEARNED -> null;
            case ROTARY -> of(RotaryTables.full(width, length, base), device, length);
            case ROTARY_HALF -> of(RotaryTables.halfTruncated(width, length, base), device, length);
        };
    }

    private static Rotary of(RotaryTables tables, Device device, int length) {
        int half = tables.columns();
        return new Rotary(
                device.constant("cosines", DType.F32, () -> MemorySegment.ofArray(tables.cosines()), length, half),
                device.constant("sines", DType.F32, () -> MemorySegment.ofArray(tables.sines()), length, half));
    }
}
