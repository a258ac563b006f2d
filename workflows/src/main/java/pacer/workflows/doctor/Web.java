package pacer.workflows.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import pacer.activities.run.RunJson;

/** Questions by HTTP; nobody is waited for longer than ten seconds. */
final class Web implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(PATIENCE)
            .build();

    /** What came back. */
    record Answer(URI from, int status, HttpHeaders headers, String body) {

        boolean ok() {
            return status / 100 == 2;
        }

        /** @throws IOException where it is not what was wished for */
        Answer requireOk() throws IOException {
            if (!ok()) {
                throw new IOException(from + " answers with status " + status);
            }
            return this;
        }

        JsonNode json() throws IOException {
            try {
                return RunJson.MAPPER.readTree(requireOk().body());
            } catch (JsonProcessingException e) {
                throw new IOException(from + " answers with something that is no JSON: another program's address?", e);
            }
        }
    }

    /**
     * Reads an address that a user named.
     *
     * @param name of the setting
     * @throws IOException naming setting, value and rule
     */
    static URI address(String name, String value) throws IOException {
        try {
            URI uri = URI.create(value.strip().replaceFirst("/+$", ""));
            boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (web && uri.getHost() != null && uri.getRawUserInfo() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // the same rule
        }
        throw new IOException(
                "%s=%s: must be http://HOST:PORT or https://HOST".formatted(name, value.replaceAll("//[^/]*@", "//")));
    }

    Answer get(URI uri) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri));
    }

    Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpRequest question = request.timeout(PATIENCE).build();
        try {
            HttpResponse<String> answer = client.send(question, HttpResponse.BodyHandlers.ofString());
            return new Answer(question.uri(), answer.statusCode(), answer.headers(), answer.body());
        } catch (IOException e) {
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new IOException(question.uri() + " does not answer (" + why + ")", e);
        }
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
