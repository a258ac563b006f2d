package pacer.trainer.model;

import pacer.trainer.ops.Dropout;

/**
 * Dropout of one micro-step.
 *
 * @param step optimizer step, from 0
 * @param firstSample place in the whole batch of this share's first sequence
 */
public record DropoutPlan(float probability, long seed, long step, long firstSample) {

    /** For evaluation and models without dropout. */
    public static final DropoutPlan NONE = new DropoutPlan(0f, 0, 0, 0);

    boolean isActive() {
        return probability > 0f;
    }

    /** Dropout at place {@code site} of the model, where a sequence has {@code perSample} elements. */
    Dropout at(int site, long perSample) {
        return isActive()
                ? new Dropout(probability, Dropout.key(seed, step, site), firstSample * perSample)
                : Dropout.NONE;
    }

    DropoutPlan from(long sample) {
        return isActive() ? new DropoutPlan(probability, seed, step, firstSample + sample) : this;
    }
}
