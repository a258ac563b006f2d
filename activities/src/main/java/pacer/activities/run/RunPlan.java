package pacer.activities.run;

import pacer.trainer.spec.DatasetSpec;

/**
 * A run that is ready to be worked on: what the workflow needs to know of it.
 *
 * @param run its id
 * @param model the model in a few words
 * @param host name of the host that the run's folder is on; all its stages run there
 * @param resumed whether something of it was done before
 * @param tracked whether its host sends it to a tracking server; null, as in plans of old, where it does not
 */
public record RunPlan(
        String run,
        String preset,
        String description,
        String specHash,
        String model,
        int steps,
        DatasetSpec dataset,
        String host,
        boolean resumed,
        Boolean tracked) {

    RunPlan withTracking() {
        return new RunPlan(run, preset, description, specHash, model, steps, dataset, host, resumed, true);
    }
}
