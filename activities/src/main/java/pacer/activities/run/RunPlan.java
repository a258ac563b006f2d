package pacer.activities.run;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import pacer.trainer.spec.DatasetSpec;

/**
 * A run that is ready to be worked on: what the workflow needs to know of it.
 *
 * @param run its id
 * @param model the model in a few words
 * @param host name of the host that the run's folder is on; all its stages run there
 * @param resumed whether something of it was done before
 * @param page what its page shows beside the progress; null in plans from before it did
 * @param tracked whether its host sends it to a tracking server; null, as in plans of old, where it does not
 * @param hosts that train it together, each with as many ranks; null, as in plans of old, where one does
 * @param ranksPerHost how many; null likewise
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
        Page page,
        Boolean tracked,
        Integer hosts,
        Integer ranksPerHost) {

    /**
     * What a run's page in the Temporal UI shows and is found by.
     *
     * @param searchable whether the service knows pacer's search attributes; else none may be set
     * @param links addresses of other pages by name
     * @param spec the resolved spec, YAML
     * @param commit of the code; null when unknown
     * @param dollarsPerHour price of the machine; 0 when unknown
     */
    public record Page(
            boolean searchable, Map<String, String> links, String spec, String commit, double dollarsPerHour) {

        public Page {
            links = links == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(links));
        }
    }

    /** This plan by a worker of {@code surroundings}. */
    RunPlan in(Surroundings surroundings) {
        Page with = new Page(
                surroundings.searchable(), surroundings.links(), page.spec(), page.commit(), page.dollarsPerHour());
        return new RunPlan(
                run,
                preset,
                description,
                specHash,
                model,
                steps,
                dataset,
                host,
                resumed,
                with,
                surroundings.tracked() ? true : null,
                hosts,
                ranksPerHost);
    }
}
