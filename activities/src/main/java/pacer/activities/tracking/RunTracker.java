package pacer.activities.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.mlflow.api.proto.Service;
import pacer.activities.run.Progress;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunId;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.tracking.Points.Point;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;

/**
 * Brings MLflow up to what a run's folder says. Whatever fails can be tried again: nothing is kept but the cursor, which moves when the server
 * has answered.
 */
final class RunTracker {
    /** The most that MLflow takes in a request. */
    private static final int METRICS = 1000;

    private static final int PARAMS = 100;

    private final RunFolder folder;
    private final TrackingRequest request;
    private final MlflowServer server;
    private final TrackingSettings settings;
    private final StageContext context;
    private final Spool spool;
    private MlflowRuns runs; // null until the server was reached
    private TrackingCursor cursor;
    private String parent; // MLflow's id of what this run is part of; null where it is part of nothing
    private boolean described;
    private long points;

    RunTracker(
            RunFolder folder,
            TrackingRequest request,
            MlflowServer server,
            TrackingSettings settings,
            StageContext context) {
        this.folder = folder;
        this.request = request;
        this.server = server;
        this.settings = settings;
        this.context = context;
        this.spool = new Spool(folder.events(), context::notice);
    }

    /** Sends what is new. */
    void send(RunRecord record, SystemMetrics system) throws IOException, InterruptedException {
        if (runs == null) {
            open(record);
        }
        boolean trained = Files.exists(folder.events());
        if (!described && (trained || record.status() != RunStatus.RUNNING)) {
            describe(record); // only now: until its training begins a preset is not resolved to the end
        }
        Optional<Points.Dataset> dataset = facts(record).measuredOn();
        Spool.Piece piece = spool.read(cursor.offset());
        while (piece.end() != cursor.offset()) {
            context.check();
            Map<String, Integer> newest = Points.copy(cursor.newest());
            log(Points.of(piece.events(), newest, dataset.orElse(null)));
            move(cursor.at(piece.end(), newest));
            context.progress(
                    Progress.of(Stage.PUBLISH, Instant.now(), share(piece.end()), "sent %,d points".formatted(points)));
            piece = spool.read(cursor.offset());
        }
        List<Point> samples = system.waiting();
        log(samples);
        system.sent(samples);
    }

    private double share(long end) throws IOException {
        return (double) end / Math.max(1, Files.size(folder.events()));
    }

    private void open(RunRecord record) throws IOException, InterruptedException {
        MlflowRuns all = MlflowRuns.in(settings.experiment(), server);
        SequencedMap<String, String> tags = facts(record).tags();
        if (request.parent() != null) {
            parent = all.findOrCreate(
                    RunId.ofWorkflow(request.parent(), "runs"),
                    record.created(),
                    RunFacts.user(),
                    Map.of("mlflow.user", RunFacts.user()));
            tags.put("mlflow.parentRunId", parent);
            if (record.status() == RunStatus.RUNNING) {
                server.post("runs/update", Map.of("run_id", parent, "status", "RUNNING"));
            }
        }
        TrackingCursor known = TrackingCursor.read(folder, settings);
        Optional<JsonNode> run = known == null ? Optional.empty() : all.get(known.run());
        if (run.isEmpty()) {
            String id = all.findOrCreate(record.id(), record.created(), RunFacts.user(), tags);
            run = all.get(id);
            // of another host there may be points already, told at other times than this one's of the same steps
            known = TrackingCursor.start(settings, id, server.page(all.experiment(), id))
                    .at(
                            0,
                            Points.newest(
                                    run.orElseThrow(this::gone).path("data").path("metrics")));
        }
        if (record.status() == RunStatus.RUNNING
                && !run.orElseThrow().path("info").path("status").asText().equals("RUNNING")) {
            server.post("runs/update", Map.of("run_id", known.run(), "status", "RUNNING"));
        }
        move(known.seenAt(server.page(all.experiment(), known.run())));
        tag(tags);
        runs = all;
    }

    private void move(TrackingCursor to) throws IOException {
        to.write(folder);
        cursor = to;
    }

    private void describe(RunRecord record) throws IOException, InterruptedException {
        RunFacts facts = facts(record);
        JsonNode run = runs.get(cursor.run()).orElseThrow(this::gone);
        Map<String, String> there = new LinkedHashMap<>();
        run.path("data")
                .path("params")
                .forEach(p -> there.put(p.path("key").asText(), p.path("value").asText()));
        List<Map<String, String>> params = new ArrayList<>();
        SequencedMap<String, String> tags = facts.tags();
        facts.params().forEach((key, value) -> {
            if (!there.containsKey(key)) {
                params.add(Map.of("key", key, "value", value));
            } else if (!there.get(key).equals(value)) {
                tags.put("pacer.changed." + key, value); // MLflow keeps a param as it was first told
            }
        });
        for (int from = 0; from < params.size(); from += PARAMS) {
            List<?> some = params.subList(from, Math.min(params.size(), from + PARAMS));
            server.post("runs/log-batch", Map.of("run_id", cursor.run(), "params", some));
        }
        tag(tags);
        if (facts.dataset().isPresent()) {
            server.post(
                    "runs/log-inputs",
                    Map.of(
                            "run_id",
                            cursor.run(),
                            "datasets",
                            RunFacts.input(
                                    facts.dataset().get(), facts.measuredOn().orElseThrow())));
        }
        log(facts.references());
        described = true;
    }

    private TrackingException gone() {
        return new TrackingException(
                "MLflow at " + settings.server() + ": the run " + cursor.run() + " of " + folder.id()
                        + " is gone; the next attempt makes another",
                404,
                "RESOURCE_DOES_NOT_EXIST",
                null);
    }

    private void tag(Map<String, String> tags) throws IOException, InterruptedException {
        List<Map<String, String>> all = new ArrayList<>();
        tags.forEach((key, value) -> {
            if (value != null) {
                all.add(Map.of("key", key, "value", value));
            }
        });
        server.post("runs/log-batch", Map.of("run_id", cursor.run(), "tags", all));
    }

    private void log(List<Point> all) throws IOException, InterruptedException {
        for (int from = 0; from < all.size(); from += METRICS) {
            List<Map<String, Object>> some = all.subList(from, Math.min(all.size(), from + METRICS)).stream()
                    .map(Point::json)
                    .toList();
            server.post("runs/log-batch", Map.of("run_id", cursor.run(), "metrics", some));
            points += some.size();
        }
    }

    /** What is sent last of a run that has ended: its verdict, its files, its model. */
    TrackingResult end(RunRecord record, boolean again) throws IOException, InterruptedException {
        String how = ending(record);
        if (!again && how.equals(cursor.ending())) {
            return result(null);
        }
        described = false; // as it is at the end
        describe(record);
        ending(facts(record));
        Service.RunStatus status =
                switch (record.status()) {
                    case FINISHED -> Service.RunStatus.FINISHED;
                    case FAILED -> Service.RunStatus.FAILED;
                    case STOPPED -> Service.RunStatus.KILLED;
                    case RUNNING -> throw new IllegalArgumentException("the run " + record.id() + " has not ended");
                };
        server.call("runs/update", c -> {
            c.setTerminated(cursor.run(), status, record.finished().toEpochMilli());
            return null;
        });
        if (parent != null) { // it stands as the last of its runs; one that begins after this has it running again
            server.call("runs/update", c -> {
                c.setTerminated(parent, status, record.finished().toEpochMilli());
                return null;
            });
        }
        files(record);
        String model = null;
        if (record.status() == RunStatus.FINISHED) {
            boolean champion = Boolean.TRUE.equals(request.reproduction())
                    && record.verdict() != null
                    && Boolean.TRUE.equals(record.verdict().passed());
            model = new ModelVersions(server, runs.experiment(), cursor.run(), folder, record)
                    .publish(facts(record).measuredOn().orElse(null), champion)
                    .orElse(null);
        }
        move(cursor.ended(how));
        return result(model);
    }

    /** Tells one ending of a run from another; there may be several, as a run can be gone on with. */
    static String ending(RunRecord record) {
        return record.status() + " " + record.finished();
    }

    private void ending(RunFacts facts) throws IOException, InterruptedException {
        SequencedMap<String, String> tags = facts.ending();
        tag(tags);
        JsonNode there =
                runs.get(cursor.run()).orElseThrow(this::gone).path("data").path("tags");
        for (JsonNode tag : there) {
            String key = tag.path("key").asText();
            if (tags.containsKey(key) && tags.get(key) == null) { // of an earlier ending
                server.call("runs/delete-tag", c -> {
                    c.deleteTag(cursor.run(), key);
                    return null;
                });
            }
        }
    }

    private void files(RunRecord record) throws IOException, InterruptedException {
        String place = runs.get(cursor.run())
                .orElseThrow(this::gone)
                .path("info")
                .path("artifact_uri")
                .asText();
        Optional<Artifacts> artifacts = Artifacts.at(place, server);
        if (artifacts.isEmpty()) {
            context.notice(
                    "MLflow at " + settings.server() + " keeps artifacts in " + place
                            + " and takes none itself, so no files were sent: start it with --artifacts-destination, and take a new experiment");
            return;
        }
        for (Map.Entry<String, Path> file : Artifacts.ofRun(folder).entrySet()) {
            String version = Artifacts.version(file.getValue());
            if (!version.equals(cursor.artifacts().get(file.getKey()))) {
                artifacts.get().put(file.getKey(), file.getValue());
                move(cursor.sent(file.getKey(), version));
            }
        }
        artifacts.get().put(record.trainedIn());
    }

    private RunFacts facts(RunRecord record) throws IOException {
        RunSpec spec = SpecLoader.read(folder.preset());
        return new RunFacts(record, spec, settings);
    }

    TrackingResult result(String model) {
        return new TrackingResult(folder.id(), cursor.run(), cursor.page(), points, model);
    }
}
