package pacer.trainer.optim;

import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.ScheduleSpec;

/**
 * The learning rate of each step: linear warmup, then constant, a half cosine down to a floor, or constant and a straight line down in the end.
 *
 * <p>Step for step as nanoGPT's {@code get_lr} since December 2024: steps count from 0, and of {@code warmupSteps} = w the
 * step s has peak·(s+1)/(w+1), so that the first rate is not zero (before, it was peak·s/w) and step w is the first at the
 * peak. The floor is reached at step {@code decaySteps} and kept. The linear one is modded-nanogpt's {@code get_lr}, with {@code cooldown} its
 * {@code cooldown_frac}.
 *
 * @param peak highest rate
 * @param floor lowest rate, absolute
 * @param warmupSteps steps before the peak
 * @param decaySteps step at which the floor is reached
 * @param cooldown part of those in which the linear one goes down
 */
public record Schedule(
        ScheduleSpec.Type type, double peak, double floor, long warmupSteps, long decaySteps, double cooldown) {

    /** The schedule of a run of {@code steps} optimizer steps. */
    public static Schedule of(ScheduleSpec schedule, OptimizerSpec optimizer, int steps) {
        double peak = optimizer.learningRate();
        int decaySteps = schedule.decaySteps() == 0 ? steps : schedule.decaySteps();
        return new Schedule(
                schedule.type(),
                peak,
                peak * schedule.floor(),
                schedule.warmupSteps(),
                decaySteps,
                schedule.cooldownSteps() == 0 ? schedule.cooldown() : (double) schedule.cooldownSteps() / decaySteps);
    }

    /** The rate of step {@code step}, the first being 0. */
    public double learningRate(long step) {
        if (step < warmupSteps) {
            return peak * (step + 1) / (warmupSteps + 1);
        }
        return switch (type) {
            case CONSTANT -> peak;
            case COSINE -> {
                if (step >= decaySteps) {
                    yield floor;
                }
                double progress = (double) (step - warmupSteps) / (decaySteps - warmupSteps);
                yield floor + 0.5 * (1 + Math.cos(Math.PI * progress)) * (peak - floor);
            }
            case LINEAR -> {
                double left = Math.max(0, 1 - (double) step / decaySteps);
                yield left >= cooldown ? peak : floor + left / cooldown * (peak - floor);
            }
        };
    }
}
