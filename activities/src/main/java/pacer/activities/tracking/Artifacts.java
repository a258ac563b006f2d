package pacer.activities.tracking;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;
import pacer.activities.run.Environment;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunJson;

/** A folder of artifacts behind the tracking server. */
record Artifacts(MlflowServer server, String folder) {

    /**
     * The folder that MLflow says a run's or model's artifacts belong in.
     *
     * @return empty when the server does not take artifacts itself: who writes them then needs its own way to where they are kept
     */
    static Optional<Artifacts> at(String uri, MlflowServer server) {
        URI place = URI.create(uri);
        return "mlflow-artifacts".equals(place.getScheme())
                ? Optional.of(new Artifacts(server, place.getPath().replaceAll("^/+", "")))
                : Optional.empty();
    }

    /** Files of a finished or failed run by their names as artifacts. */
    static SequencedMap<String, Path> ofRun(RunFolder folder) throws IOException {
        SequencedMap<String, Path> files = new LinkedHashMap<>();
        for (Path file : new Path[] {folder.preset(), folder.report(), folder.metrics(), folder.recordFile()}) {
            if (Files.isRegularFile(file)) {
                files.put(file.getFileName().toString(), file);
            }
        }
        if (Files.isDirectory(folder.samples())) {
            try (Stream<Path> samples = Files.list(folder.samples())) {
                samples.filter(file -> file.toString().endsWith(".txt"))
                        .sorted()
                        .forEach(file -> files.put("samples/" + file.getFileName(), file));
            }
        }
        return files;
    }

    /** What tells one state of {@code file} from another. */
    static String version(Path file) throws IOException {
        return Files.size(file) + " bytes, " + Files.getLastModifiedTime(file);
    }

    void put(String name, Path file) throws IOException, InterruptedException {
        server.put(folder + "/" + name, HttpRequest.BodyPublishers.ofFile(file));
    }

    void put(String name, byte[] content) throws IOException, InterruptedException {
        server.put(folder + "/" + name, HttpRequest.BodyPublishers.ofByteArray(content));
    }

    void put(Environment environment) throws IOException, InterruptedException {
        put("environment.json", RunJson.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(environment));
    }
}
