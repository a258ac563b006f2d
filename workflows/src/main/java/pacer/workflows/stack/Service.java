package pacer.workflows.stack;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * How a server is started and found.
 *
 * @param environment added to this process's
 * @param health answers with 200 once the server is ready
 * @param address for people
 */
record Service(Server server, List<String> command, Map<String, String> environment, URI health, String address) {
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** Whether it answers. */
    boolean ready() throws InterruptedException {
        try (HttpClient client =
                HttpClient.newBuilder().connectTimeout(PATIENCE).build()) {
            HttpRequest request =
                    HttpRequest.newBuilder(health).timeout(PATIENCE).build();
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }
}
