package pacer.workflows.cli;

import picocli.CommandLine.Option;

/** Which Temporal service runs the workflows. */
final class ServiceOption {
    @Option(
            names = "--temporal",
            paramLabel = "HOST:PORT",
            description =
                    "A Temporal service, or embedded: one inside this process (default: TEMPORAL_ADDRESS, the stack of pacer up, temporal.toml, else embedded).")
    private String temporal;

    String temporal() {
        return temporal;
    }
}
