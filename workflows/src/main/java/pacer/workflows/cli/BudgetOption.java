package pacer.workflows.cli;

import pacer.activities.run.Budget;
import picocli.CommandLine.Option;

/** After how much a run is stopped. */
final class BudgetOption {
    @Option(
            names = "--budget",
            paramLabel = "MOST",
            description = "Stop with a checkpoint after 90min, 2h, 1.5d, or 12.50usd at cost.dollarsPerHour.")
    private String most;

    /** Null where none was given. */
    Budget budget() {
        return most == null ? null : Budget.parse(most);
    }
}
