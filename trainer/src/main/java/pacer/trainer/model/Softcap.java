package pacer.trainer.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import pacer.trainer.spec.ModelSpec;

/** Logits as the loss sees them: c·tanh(z / c). */
final class Softcap {
    private Softcap() {}

    /** {@code logits}: V floats, in place. */
    static void apply(MemorySegment logits, ModelSpec model) {
        double cap = model.softcap();
        for (long i = 0; cap > 0 && i < model.vocabulary(); i++) {
            double z = logits.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            logits.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (cap * Math.tanh(z / cap)));
        }
    }
}
