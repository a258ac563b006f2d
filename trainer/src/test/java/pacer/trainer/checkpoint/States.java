package pacer.trainer.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.ModelSpec;

/** States of a training for tests, and tensors whose content says which step they are of. */
final class States {
    private States() {}

    static TrainingState at(int step, Double validationLoss) {
        ModelSpec model = ModelSpec.gpt2(4, 4, 128, 64, 65, false, Activation.GELU_TANH, 1e-5, 0, true);
        return new TrainingState(
                step,
                12L * step,
                "5pec",
                "c0ffee",
                validationLoss,
                validationLoss,
                DatasetSpec.Tokenizer.CHARACTERS,
                "\n !\"abcü🦄",
                model,
                1,
                new TrainingState.Skips(1, 3),
                null,
                null,
                0,
                new TrainingState.Recent(List.of(4.25, 4.125), List.of(1.5)),
                null,
                null);
    }

    /** Some tensors of {@code kilobytes} in all, reproducible from {@code seed}. */
    static List<TensorSource> tensors(String prefix, long seed, int kilobytes) {
        SplittableRandom random = new SplittableRandom(seed);
        List<TensorSource> tensors = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            MemorySegment bytes = Arena.ofAuto().allocate(256L * kilobytes, 64);
            for (long at = 0; at < bytes.byteSize(); at += 8) {
                bytes.set(ValueLayout.JAVA_LONG, at, random.nextLong());
            }
            tensors.add(TensorSource.of(prefix + i, ElementType.F32, bytes, 64, kilobytes));
        }
        return tensors;
    }
}
