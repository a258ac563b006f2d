package pacer.workflows.cli;

import pacer.activities.run.Budget;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a run is begun with, by whichever command. */
final class StartOptions {
    @Mixin
    private SpecOptions spec;

    @Option(
            names = "--new",
            description = "Begin anew, also where an interrupted run of the same settings could be gone on with.")
    private boolean fresh;

    @Option(names = "--note", paramLabel = "TEXT", description = "A line kept with the run.")
    private String note;

    @Mixin
    private BudgetOption budget;

    SpecOptions spec() {
        return spec;
    }

    /** Whether no earlier run will do. */
    boolean fresh() {
        return fresh;
    }

    /** Null where none was given. */
    Budget budget() {
        return budget.budget();
    }

    /** Null where none was given. */
    String note() {
        return note;
    }
}
