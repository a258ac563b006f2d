package pacer.workflows.cli;

import picocli.CommandLine.Option;

/** Which Temporal service runs the workflows. */
final class ServiceOption {
    @Option(
            names = "--temporal",
            paramLabel = "HOST:PORT",
            description =
                    "A Temporal service, or embedded: one inside this process (default: TEMPORAL_ADDRESS, temporal.toml, else embedded).")
    private String temporal;

    String temporal() {
        return temporal;
    }
}
