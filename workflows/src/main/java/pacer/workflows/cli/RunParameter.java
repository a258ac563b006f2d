package pacer.workflows.cli;

import pacer.activities.run.RunIndex;
import picocli.CommandLine.Parameters;

/** Which of the runs there are. */
final class RunParameter {
    @Parameters(
            arity = "0..1",
            defaultValue = "last",
            paramLabel = "RUN",
            completionCandidates = Completions.OfRuns.class,
            description = "Id, its beginning, last, or a folder.")
    private String name;

    RunIndex.Entry entry(PlaceOptions places, Console console) {
        return places.run(name, console.environment());
    }
}
