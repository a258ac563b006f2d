package pacer.activities.sweep;

/**
 * One run of a sweep, as it is planned.
 *
 * @param number its place in the sweep's order, from 0
 * @param point its point's place, from 0
 * @param run its id, and its workflow's
 * @param steps that it is to train
 */
public record SweepTrial(int number, int point, long seed, String run, int steps) {

    /** It failed. */
    public SweepRun failed(String reason) {
        return new SweepRun(number, point, seed, run, SweepRun.State.FAILED, null, 0, 0, 0, reason, null, null);
    }
}
