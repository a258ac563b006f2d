package pacer.workflows;

import java.util.Map;
import pacer.activities.run.Home;

/**
 * How pipelines are run from this process.
 *
 * @param temporal address of a Temporal service; null: see {@link TemporalAddress#find}
 */
public record PipelineOptions(Home home, String temporal, Map<String, String> environment) {}
