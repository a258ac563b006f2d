package pacer.trainer.memory;

import pacer.trainer.eval.TextModel;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SampleSpec;

/**
 * What of a run decides how much memory its ranks take.
 *
 * @param sequences a rank's of a step
 * @param microBatch those of them that it takes at once
 * @param room tokens of the decoder that samples during training; 0 where there are none
 * @param asks whether HellaSwag is measured during training
 */
record Shape(
        ModelSpec model,
        OptimizerSpec optimizer,
        int ranks,
        int sequences,
        int microBatch,
        int recompute,
        int room,
        boolean asks,
        Hardware hardware) {

    static Shape of(RunSpec spec, int ranks, Hardware hardware) {
        int sequences = spec.train().batchTokens() / spec.model().sequenceLength() / ranks;
        int micro = Math.min(spec.train().microBatch(), sequences);
        while (sequences % micro != 0) {
            micro--;
        }
        SampleSpec sample = spec.sample();
        boolean samples =
                sample.everySteps() > 0 && sample.everySteps() < spec.train().steps();
        return new Shape(
                spec.model(),
                spec.optimizer(),
                ranks,
                sequences,
                micro,
                spec.train().recompute(),
                samples
                        ? TextModel.room(
                                sample.prompt(), sample.tokens(), spec.model().sequenceLength())
                        : 0,
                spec.hellaSwag().given() && spec.hellaSwag().everySteps() > 0,
                hardware);
    }

    int microSteps() {
        return sequences / microBatch;
    }

    Shape withMicroBatch(int size) {
        return new Shape(model, optimizer, ranks, sequences, size, recompute, room, asks, hardware);
    }

    Shape withRecompute(int level) {
        return new Shape(model, optimizer, ranks, sequences, microBatch, level, room, asks, hardware);
    }

    Shape withHardware(Hardware other) {
        return new Shape(model, optimizer, ranks, sequences, microBatch, recompute, room, asks, other);
    }

    Shape withOptimizer(OptimizerSpec.Type type) {
        return new Shape(
                model, optimizer.withType(type), ranks, sequences, microBatch, recompute, room, asks, hardware);
    }

    /** Sequences {@code times} as short, and as many times as many of them; at once as many as before. */
    Shape withShorterSequences(int times) {
        ModelSpec shorter = model.withSequenceLength(model.sequenceLength() / times);
        return new Shape(
                shorter,
                optimizer,
                ranks,
                sequences * times,
                microBatch,
                recompute,
                Math.min(room, shorter.sequenceLength()),
                asks,
                hardware);
    }
}
