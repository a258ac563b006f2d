package pacer.activities.dataset;

import pacer.trainer.spec.DatasetSpec;

/**
 * Asks for a dataset.
 *
 * @param run the run that needs it, which records the stage; null when it is prepared for nobody in particular
 */
public record DatasetRequest(String run, DatasetSpec dataset) {}
