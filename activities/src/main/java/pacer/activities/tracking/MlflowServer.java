package pacer.activities.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.MlflowClientException;
import org.mlflow.tracking.MlflowHttpException;
import org.mlflow.tracking.creds.BasicMlflowHostCreds;
import org.mlflow.tracking.creds.MlflowHostCredsProvider;
import pacer.activities.run.RunJson;
import pacer.activities.run.StageContext;

/**
 * The tracking server. MLflow's Java client speaks to it where it knows the call and doing that twice is nothing: it tries again by itself, also
 * what the server has done and only the answer was lost of. What must not be done twice, what is newer than the client, and artifacts, for
 * which it would start Python, go by HTTP. Each call ends when the stage should stop, and when no answer comes: the client itself would wait
 * for ever.
 */
final class MlflowServer implements AutoCloseable {
    private static final long LOOK_MILLIS = 100;

    /** What a line to the server carries at least, however slow: an artifact may take as long as it takes at that. */
    private static final long SLOWEST_BYTES_A_SECOND = 1 << 17;

    private final TrackingSettings settings;
    private final StageContext context;
    private final HttpClient http;
    private MlflowClient client;

    /** @param context ends calls by saying that its stage should stop */
    MlflowServer(TrackingSettings settings, StageContext context) {
        this.settings = settings;
        this.context = context;
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(settings.answer())
                .build();
        this.client = connect();
    }

    private MlflowClient connect() {
        MlflowHostCredsProvider credentials = new BasicMlflowHostCreds(
                settings.server().toString(), settings.user(), settings.password(), settings.token(), false);
        return new MlflowClient(credentials);
    }

    /** What the client does by its own methods; {@code what} names it in errors. */
    <T> T call(String what, Function<MlflowClient, T> call) throws IOException, InterruptedException {
        MlflowClient used = client;
        FutureTask<T> task = new FutureTask<>(() -> call.apply(used));
        Thread.ofVirtual().name("mlflow").start(task);
        try {
            return await(what, task, settings.answer());
        } finally {
            if (!task.isDone()) { // it waits for the server; only without its connection does it end
                used.close();
                client = connect();
            }
        }
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return json("GET", path, HttpRequest.BodyPublishers.noBody());
    }

    JsonNode post(String path, Object body) throws IOException, InterruptedException {
        return json("POST", path, HttpRequest.BodyPublishers.ofByteArray(RunJson.MAPPER.writeValueAsBytes(body)));
    }

    JsonNode patch(String path, Object body) throws IOException, InterruptedException {
        return json("PATCH", path, HttpRequest.BodyPublishers.ofByteArray(RunJson.MAPPER.writeValueAsBytes(body)));
    }

    private JsonNode json(String method, String path, HttpRequest.BodyPublisher body)
            throws IOException, InterruptedException {
        String what = path.replaceAll("\\?.*", "");
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(settings.server() + "/api/2.0/mlflow/" + path))
                .header("Content-Type", "application/json")
                .method(method, body);
        String answer = send(what, request, settings.answer());
        try {
            return RunJson.MAPPER.readTree(answer);
        } catch (JsonProcessingException e) {
            throw noMlflow(what, e);
        }
    }

    /** The server's version, such as {@code 3.17.2}. */
    String version() throws IOException, InterruptedException {
        return send("version", HttpRequest.newBuilder(URI.create(settings.server() + "/version")), settings.answer())
                .strip();
    }

    /** Puts an artifact at {@code path} below the server's folder of artifacts. */
    void put(String path, HttpRequest.BodyPublisher content) throws IOException, InterruptedException {
        Duration patience = settings.answer().plusSeconds(content.contentLength() / SLOWEST_BYTES_A_SECOND);
        send("artifact " + path, artifactAt(path).PUT(content), patience);
    }

    /** The small artifact at {@code path}, a text. */
    String artifact(String path) throws IOException, InterruptedException {
        return send("artifact " + path, artifactAt(path), settings.answer());
    }

    /** Deletes the artifact at {@code path}. */
    void delete(String path) throws IOException, InterruptedException {
        send("artifact " + path, artifactAt(path).DELETE(), settings.answer());
    }

    private HttpRequest.Builder artifactAt(String path) {
        StringBuilder address = new StringBuilder(settings.server() + "/api/2.0/mlflow-artifacts/artifacts");
        for (String name : path.split("/", -1)) {
            address.append('/')
                    .append(URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20"));
        }
        return HttpRequest.newBuilder(URI.create(address.toString()));
    }

    private String send(String what, HttpRequest.Builder request, Duration patience)
            throws IOException, InterruptedException {
        if (settings.user() != null && settings.password() != null) {
            byte[] both = (settings.user() + ":" + settings.password()).getBytes(StandardCharsets.UTF_8);
            request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(both));
        } else if (settings.token() != null) {
            request.header("Authorization", "Bearer " + settings.token());
        }
        CompletableFuture<HttpResponse<String>> sent =
                http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString());
        HttpResponse<String> answer;
        try {
            answer = await(what, sent, patience);
        } finally {
            sent.cancel(true);
        }
        if (answer.statusCode() / 100 != 2) {
            throw refused(what, answer.statusCode(), answer.body(), null);
        }
        return answer.body();
    }

    private <T> T await(String what, Future<T> call, Duration patience) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                return call.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                context.check();
                if (System.nanoTime() > deadline) {
                    throw silent(what, "within " + patience.toSeconds() + " s", e);
                }
            } catch (ExecutionException e) {
                throw failure(what, e.getCause());
            }
        }
    }

    private TrackingException failure(String what, Throwable e) {
        return switch (e) {
            case MlflowHttpException http -> refused(what, http.getStatusCode(), http.getBodyMessage(), http);
            case MlflowClientException client
            when client.getCause() instanceof IOException io -> silent(what, "(" + said(io) + ")", client);
            case IOException io -> silent(what, "(" + said(io) + ")", io);
            default -> noMlflow(what, e);
        };
    }

    private static String said(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private TrackingException silent(String what, String how, Exception e) {
        return new TrackingException(
                "MLflow at %s gives no answer to %s %s; is the server up, and MLFLOW_TRACKING_URI its address?"
                        .formatted(settings.server(), what, how),
                0,
                "",
                e);
    }

    private TrackingException noMlflow(String what, Throwable e) {
        return new TrackingException(
                "%s answers %s with something that is not MLflow's: MLFLOW_TRACKING_URI must be the address of an MLflow server (3 or newer)"
                        .formatted(settings.server(), what),
                404,
                "",
                e);
    }

    private TrackingException refused(String what, int status, String body, Exception cause) {
        String code = "";
        String message = body == null ? "" : body;
        try {
            JsonNode told = RunJson.MAPPER.readTree(message);
            code = told.path("error_code").asText("");
            message = told.path("message").asText(message);
        } catch (JsonProcessingException e) {
            message = message.replaceAll("<[^>]*>", " "); // a page for people
        }
        String line = message.replaceAll("\\s+", " ").strip();
        String advice =
                switch (status) {
                    case 401 ->
                        "give MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, to the process that sends";
                    case 403 ->
                        "the user may not, or the server does not know itself by this name: its MLFLOW_SERVER_ALLOWED_HOSTS must list it";
                    case 404 -> "MLFLOW_TRACKING_URI must be the address of an MLflow server (3 or newer)";
                    case 413 -> "what stands before the server must let requests of a megabyte, and artifacts, pass";
                    default -> status >= 500 ? "the server's log says more" : "what was sent is in the run's folder";
                };
        return new TrackingException(
                "MLflow at %s answered %s with %d%s; %s"
                        .formatted(
                                settings.server(),
                                what,
                                status,
                                line.isEmpty() ? "" : " (" + line.substring(0, Math.min(300, line.length())) + ")",
                                advice),
                status,
                code,
                cause);
    }

    /** Address of the page of {@code run}, for people. */
    String page(String experiment, String run) {
        return settings.pages() + "/#/experiments/" + experiment + "/runs/" + run;
    }

    @Override
    public void close() {
        client.close();
        http.shutdownNow();
    }
}
