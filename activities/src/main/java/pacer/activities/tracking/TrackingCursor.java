package pacer.activities.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunJson;
import pacer.trainer.durable.DurableFiles;

/**
 * {@code tracking.json}: how much of a run is in MLflow. What it says is there, is; what it does not say may be there too, and is sent
 * again, which MLflow takes for the same.
 *
 * @param server address of the tracking server
 * @param experiment name there
 * @param run id of the MLflow run
 * @param page address of its page, for people
 * @param offset bytes of {@code events.jsonl} whose points are sent
 * @param newest the last step of each kind of event that was sent; an event of that step or an earlier one is a repetition after a resume
 * @param artifacts size and time of change of each file sent, by its name in the run's folder
 * @param ending the ending of the run that was sent last, by {@link #ending}; null before the first
 */
record TrackingCursor(
        String server,
        String experiment,
        String run,
        String page,
        long offset,
        Map<String, Integer> newest,
        Map<String, String> artifacts,
        String ending) {

    TrackingCursor {
        newest = newest == null ? Map.of() : Map.copyOf(newest);
        artifacts = artifacts == null ? Map.of() : Map.copyOf(artifacts);
    }

    static TrackingCursor start(TrackingSettings settings, String run, String page) {
        return new TrackingCursor(
                settings.server().toString(), settings.experiment(), run, page, 0, Map.of(), Map.of(), null);
    }

    /** The one in {@code folder}; null where there is none for that server and experiment. A damaged one is none. */
    static TrackingCursor read(RunFolder folder, TrackingSettings settings) throws IOException {
        if (!Files.exists(file(folder))) {
            return null;
        }
        try {
            TrackingCursor cursor = RunJson.MAPPER.readValue(Files.readAllBytes(file(folder)), TrackingCursor.class);
            boolean same = settings.server().toString().equals(cursor.server)
                    && settings.experiment().equals(cursor.experiment)
                    && cursor.run != null;
            return same ? cursor : null;
        } catch (JsonProcessingException e) {
            return null; // then all is sent again, to the run that is found by its tag
        }
    }

    /** By whoever has the run's tracking lock. */
    void write(RunFolder folder) throws IOException {
        DurableFiles.writeLocked(
                file(folder),
                RunJson.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(this));
    }

    TrackingCursor at(long newOffset, Map<String, Integer> newNewest) {
        return new TrackingCursor(server, experiment, run, page, newOffset, newNewest, artifacts, ending);
    }

    /** With the page where people see it now: their address of the server may be another one than before. */
    TrackingCursor seenAt(String newPage) {
        return new TrackingCursor(server, experiment, run, newPage, offset, newest, artifacts, ending);
    }

    TrackingCursor sent(String name, String version) {
        Map<String, String> all = new TreeMap<>(artifacts);
        all.put(name, version);
        return new TrackingCursor(server, experiment, run, page, offset, newest, all, ending);
    }

    TrackingCursor ended(String how) {
        return new TrackingCursor(server, experiment, run, page, offset, newest, artifacts, how);
    }

    private static Path file(RunFolder folder) {
        return folder.path().resolve("tracking.json");
    }
}
