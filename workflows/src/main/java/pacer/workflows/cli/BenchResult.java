package pacer.workflows.cli;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;

/** What a benchmark found; its components are its raw results. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
    @JsonSubTypes.Type(value = BenchSteps.class, name = "step"),
    @JsonSubTypes.Type(value = BenchLaunches.class, name = "launch"),
    @JsonSubTypes.Type(value = BenchRuns.class, name = "whole")
})
sealed interface BenchResult permits BenchSteps, BenchLaunches, BenchRuns {

    /** What was measured, for a file's name: {@code quickstart-fp32-step}. */
    String name();

    /** The result in a line. */
    String headline();

    /** The results that matter, then every single one. */
    List<BenchTable> tables();

    /** What was run, and what the reader must know of it. */
    List<String> remarks();
}
