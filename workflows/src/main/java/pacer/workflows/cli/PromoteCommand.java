package pacer.workflows.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import pacer.workflows.Deployment;
import pacer.workflows.TemporalAddress;
import pacer.workflows.TemporalConnection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "promote",
        description = {
            "Have the Temporal service give all runs, those at work too, to this version of the workers.",
            "A worker of role control with the same PACER_DEPLOYMENT and build id has to listen.%n"
        })
final class PromoteCommand implements Callable<Integer> {
    @Option(
            names = "--build-id",
            paramLabel = "ID",
            description =
                    "Another version, as to go back (default: PACER_BUILD_ID, else this build's version and commit).")
    private String buildId;

    @Option(names = "--unversioned", description = "To workers without a version instead, as to do without versions.")
    private boolean unversioned;

    @Option(
            names = "--wait",
            paramLabel = "SECONDS",
            description = "How long to wait for a worker of it (default: ${DEFAULT-VALUE}).")
    private int seconds = 30;

    @Mixin
    private ServiceOption service;

    private final Console console;

    PromoteCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Map<String, String> environment = new HashMap<>(console.environment());
        if (buildId != null) {
            environment.put("PACER_BUILD_ID", buildId);
        }
        if (unversioned && buildId != null) {
            throw new Mistake("--unversioned and --build-id: one of the two");
        }
        Deployment named = Deployment.of(environment)
                .orElseThrow(
                        () -> new Mistake(
                                "PACER_DEPLOYMENT names no deployment; set it here as for the workers, such as PACER_DEPLOYMENT=pacer"));
        Deployment version = unversioned ? Deployment.none(named.name()) : named;
        TemporalAddress address = TemporalAddress.find(service.temporal(), environment);
        if (address.isEmbedded()) {
            throw new Mistake("versions are a Temporal service's: give --temporal HOST:PORT or TEMPORAL_ADDRESS");
        }
        try (TemporalConnection connection = TemporalConnection.open(address)) {
            Optional<Deployment> before = connection.makeCurrent(version, Duration.ofSeconds(seconds));
            console.println(version + " is current; before it "
                    + before.map(Deployment::toString).orElse("workers without a version"));
        }
        return Exit.OK;
    }
}
