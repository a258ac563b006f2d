package pacer.activities.tracking;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import pacer.activities.run.StageContext;

/** Does to a tracking server what runs do to it, as far as nothing is left behind but a tag: {@code pacer.doctor}, when it was. */
public final class TrackingProbe implements AutoCloseable {
    /** A server that has just begun, on a busy machine, takes more than ten. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final String TAG = "pacer.doctor";

    private final TrackingSettings settings;
    private final MlflowServer server;

    public TrackingProbe(TrackingSettings settings) {
        this.settings = settings.answering(PATIENCE);
        this.server = new MlflowServer(this.settings, StageContext.NOBODY);
    }

    /** What the server says that it is, such as {@code 3.17.2}. */
    public String version() throws IOException, InterruptedException {
        return server.version();
    }

    /**
     * Finds the experiment that runs belong to, or makes it as the first run would; looks for runs in it, and writes its tag, for which one needs the
     * same right as for a run; looks for models.
     *
     * @return the experiment's id
     */
    public String write() throws IOException, InterruptedException {
        String experiment = MlflowRuns.in(settings.experiment(), server).experiment();
        server.post("runs/search", Map.of("experiment_ids", List.of(experiment), "max_results", 1));
        server.post(
                "experiments/set-experiment-tag",
                Map.of(
                        "experiment_id",
                        experiment,
                        "key",
                        TAG,
                        "value",
                        Instant.now().toString()));
        server.get("registered-models/search?max_results=1");
        return experiment;
    }

    /**
     * Puts a small artifact among those of {@code experiment}, reads it and deletes it.
     *
     * @return where artifacts lie, as the server says; empty where it takes none itself
     */
    public Optional<String> artifact(String experiment) throws IOException, InterruptedException {
        String place = server.get("experiments/get?experiment_id=" + experiment)
                .path("experiment")
                .path("artifact_location")
                .asText();
        Optional<Artifacts> artifacts = Artifacts.at(place, server);
        if (artifacts.isEmpty()) {
            return Optional.empty();
        }
        String path = artifacts.get().folder() + "/pacer-doctor-" + UUID.randomUUID() + ".txt";
        String text = "pacer doctor";
        server.put(path, HttpRequest.BodyPublishers.ofByteArray(text.getBytes(StandardCharsets.UTF_8)));
        String back = server.artifact(path);
        server.delete(path);
        if (!back.equals(text)) {
            throw new IOException("MLflow at %s: artifact %s came back with other bytes than were put there; look at %s"
                    .formatted(settings.server(), path, "its artifact store"));
        }
        return Optional.of(place);
    }

    @Override
    public void close() {
        server.close();
    }
}
