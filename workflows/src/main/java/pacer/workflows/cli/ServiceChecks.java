package pacer.workflows.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import pacer.activities.run.BadInputException;
import pacer.activities.store.Content;
import pacer.activities.store.ObjectStore;
import pacer.activities.store.StoreSettings;
import pacer.activities.store.TransferListener;
import pacer.activities.tracking.TrackingSettings;
import pacer.workflows.Deployment;
import pacer.workflows.SearchAttributes;
import pacer.workflows.TemporalAddress;
import pacer.workflows.TemporalConnection;
import pacer.workflows.cli.DoctorCommand.Finding;
import pacer.workflows.cli.DoctorCommand.State;

/** Looks at the services that this process's environment names, as a worker would use them. */
record ServiceChecks(Map<String, String> environment) {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    List<Finding> findings(String temporal) throws InterruptedException {
        List<Finding> findings = new ArrayList<>(temporal(temporal));
        mlflow().ifPresent(findings::add);
        store().ifPresent(findings::add);
        return findings;
    }

    private List<Finding> temporal(String address) {
        List<Finding> findings = new ArrayList<>();
        try (TemporalConnection connection = TemporalConnection.open(TemporalAddress.find(address, environment))) {
            findings.add(Finding.good("temporal", connection.description().replaceFirst("^Temporal: ", "")));
            if (connection.isEmbedded()) {
                return findings;
            }
            boolean worked = connection.isWorkedOn();
            String nobody = connection
                    .currentVersion()
                    .map(version -> "no worker of " + version + " listens, to which runs are given")
                    .orElse("no worker listens: who starts a run works on it");
            findings.add(new Finding(
                    "workers",
                    worked ? State.GOOD : State.POOR,
                    worked ? "a worker listens for runs" : nobody,
                    worked ? null : "start one on each machine that trains: pacer worker"));
            versions(connection).ifPresent(findings::add);
            boolean known = connection.knowsSearchAttributes();
            findings.add(new Finding(
                    "search",
                    known ? State.GOOD : State.POOR,
                    known
                            ? "runs are found by preset, loss, commit, verdict"
                            : "the namespace lacks pacer's search attributes",
                    known ? null : "temporal operator search-attribute create" + attributes()));
        } catch (IOException e) {
            findings.add(new Finding(
                    "temporal",
                    State.BAD,
                    e.getMessage(),
                    "start the service, or unset the address to use one in this process"));
        }
        return findings;
    }

    /** Empty where neither the service nor this environment knows of versions. */
    private Optional<Finding> versions(TemporalConnection connection) throws IOException {
        Optional<Deployment> current = connection.currentVersion();
        Optional<Deployment> here = Deployment.of(environment);
        if (current.equals(here)) {
            return here.map(version -> Finding.good("version", version + ", to which runs are given"));
        }
        return Optional.of(new Finding(
                "version",
                State.POOR,
                "runs are given to " + current.map(Deployment::toString).orElse("workers without a version")
                        + "; a worker started here would be "
                        + here.map(Deployment::toString).orElse("one without"),
                here.isPresent()
                        ? "when a worker of it listens: pacer promote"
                        : "set PACER_DEPLOYMENT as for the workers"));
    }

    private static String attributes() {
        StringBuilder words = new StringBuilder();
        SearchAttributes.types()
                .forEach((name, type) ->
                        words.append(" --name ").append(name).append(" --type ").append(type));
        return words.toString();
    }

    private Optional<Finding> mlflow() throws InterruptedException {
        try {
            Optional<TrackingSettings> settings = TrackingSettings.of(environment);
            return settings.isEmpty()
                    ? Optional.empty()
                    : Optional.of(mlflow(settings.get().server()));
        } catch (BadInputException e) {
            return Optional.of(new Finding("mlflow", State.BAD, e.getMessage(), "correct it, or unset it"));
        }
    }

    private static Finding mlflow(URI server) throws InterruptedException {
        String remedy = "start the server, or unset MLFLOW_TRACKING_URI; pacer publish sends runs later";
        URI version = URI.create(server.toString().replaceAll("/+$", "") + "/version");
        try (HttpClient client =
                HttpClient.newBuilder().connectTimeout(PATIENCE).build()) {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(version).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() == 200
                    ? Finding.good(
                            "mlflow", server + ", version " + answer.body().strip())
                    : new Finding("mlflow", State.BAD, server + " answered with status " + answer.statusCode(), remedy);
        } catch (IOException e) {
            return new Finding("mlflow", State.BAD, server + " does not answer: " + e, remedy);
        }
    }

    /** Writes, reads and deletes an object, which is what a run does. */
    private Optional<Finding> store() throws InterruptedException {
        try {
            Optional<StoreSettings> settings = StoreSettings.of(environment);
            if (settings.isEmpty()) {
                return Optional.empty();
            }
            String key = "doctor/" + UUID.randomUUID();
            try (ObjectStore store = new ObjectStore(
                            settings.get().place(), settings.get().access());
                    Content probe = Content.of("pacer doctor".getBytes(StandardCharsets.UTF_8))) {
                store.put(key, probe, TransferListener.NOBODY);
                boolean back = store.read(key, TransferListener.NOBODY).isPresent();
                store.delete(key, TransferListener.NOBODY);
                return Optional.of(
                        back
                                ? Finding.good("store", settings.get().place() + ", can be written and read")
                                : new Finding(
                                        "store", State.BAD, settings.get().place() + " has lost what it took", null));
            }
        } catch (BadInputException | IOException e) {
            return Optional.of(new Finding(
                    "store",
                    State.BAD,
                    e.getMessage(),
                    "look at PACER_STORE, AWS_ENDPOINT_URL_S3, AWS_REGION, the credentials and the bucket's rights"));
        }
    }
}
