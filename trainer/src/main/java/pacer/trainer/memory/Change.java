package pacer.trainer.memory;

import java.util.List;

/**
 * Settings that make a training take less memory, and what they cost.
 *
 * @param settings {@code train.recompute=1} each; {@code --zero 1} for GPUs, which divides the optimizer's state
 * @param need bytes of the machine, or of a GPU
 * @param fits whether that is there
 * @param flops of a step, by those without the change; 1 where they stay
 * @param microSteps of a step
 * @param price for people
 */
public record Change(List<String> settings, long need, boolean fits, double flops, int microSteps, String price) {}
