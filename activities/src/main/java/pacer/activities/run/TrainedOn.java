package pacer.activities.run;

import java.time.Instant;

/**
 * Where training was done from a step on.
 *
 * @param fromStep step of the checkpoint that it went on from; 0 from the beginning
 * @param since when
 * @param environment the machine, its JVM and the code
 */
public record TrainedOn(int fromStep, Instant since, Environment environment) {}
