package pacer.activities.notification;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.reproduction.Reproduction;
import pacer.activities.run.BadInputException;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Verdict;

/**
 * Tells an address of what became of runs. Its URL is often a secret by itself, so nothing that is written anywhere has more of it than the
 * host.
 *
 * @param links addresses of pages about runs, by name
 * @param temporalUi address of Temporal's UI; empty where none is named
 */
public record Webhook(URI url, Format format, Map<String, String> links, String temporalUi) {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int CURVE = 5;

    /** What is sent. */
    public enum Format {
        /** {@code {"text": …}} in Slack's markup, which Mattermost and others take as well. */
        SLACK,
        /** Every field by name. */
        JSON
    }

    /**
     * The one that {@code PACER_WEBHOOK} names, in the form of {@code PACER_WEBHOOK_FORMAT}, {@code slack} or {@code json}; empty where none is
     * named.
     *
     * @throws BadInputException when it cannot be one
     */
    public static Optional<Webhook> of(Map<String, String> environment, Map<String, String> links) {
        String address = environment.getOrDefault("PACER_WEBHOOK", "").strip();
        if (address.isEmpty()) {
            return Optional.empty();
        }
        String format =
                environment.getOrDefault("PACER_WEBHOOK_FORMAT", "slack").strip();
        if (!format.equals("slack") && !format.equals("json")) {
            throw new BadInputException("PACER_WEBHOOK_FORMAT: '" + format + "', must be slack or json");
        }
        return Optional.of(new Webhook(
                checked(address),
                Format.valueOf(format.toUpperCase(Locale.ROOT)),
                links,
                environment.getOrDefault("PACER_TEMPORAL_UI", "")));
    }

    private static URI checked(String address) {
        try {
            URI url = URI.create(address);
            boolean encrypted = "https".equals(url.getScheme());
            boolean here = "http".equals(url.getScheme())
                    && url.getHost() != null
                    && InetAddress.getByName(url.getHost()).isLoopbackAddress();
            if (url.getHost() != null && url.getRawUserInfo() == null && (encrypted || here)) {
                return url;
            }
        } catch (IllegalArgumentException | IOException e) {
            // the same rule
        }
        throw new BadInputException(
                "PACER_WEBHOOK: must be an https URL without a name and password in it, or an http one of this machine");
    }

    /**
     * Tells of the run in {@code folder}.
     *
     * @param what happened, in a line; null where the run's verdict says it
     * @param own addresses of the run's own pages, by name
     * @throws IOException naming the host and what it said
     */
    void tell(RunFolder folder, String what, Map<String, String> own) throws IOException, InterruptedException {
        Subject run = Subject.of(folder);
        tell(run, what != null ? what : run.said(), own, Map.of());
    }

    /**
     * Tells what a reproduction came to.
     *
     * @param folder of the run that was made for it
     * @param own addresses of the pages of both, by name
     * @throws IOException as {@link #tell(RunFolder, String, Map)}
     */
    void tell(RunFolder folder, Reproduction told, Map<String, String> own) throws IOException, InterruptedException {
        Subject run = Subject.of(folder);
        tell(run, said(run, told), own, Map.of("reproduction", told));
    }

    /**
     * Tells of a run whose folder is on a host that is gone.
     *
     * @throws IOException as {@link #tell(RunFolder, String, Map)}
     */
    void tell(RunNotice notice, Map<String, String> own) throws IOException, InterruptedException {
        Subject run = Subject.of(notice);
        tell(run, run.said(), own, Map.of());
    }

    /** The run that is told of; {@code verdict}, {@code failure} and {@code seconds} are null where none is known. */
    private record Subject(
            String id,
            String preset,
            RunStatus status,
            Verdict verdict,
            String failure,
            Double seconds,
            List<RunNotice.Loss> curve) {
        static Subject of(RunFolder folder) throws IOException {
            RunRecord run = folder.read();
            List<RunNotice.Loss> curve = RunHistory.read(folder.events()).validations().stream()
                    .map(v -> new RunNotice.Loss(v.step(), v.loss()))
                    .toList();
            return new Subject(
                    run.id(), run.preset(), run.status(), run.verdict(), run.failure(), run.secondsSpent(), curve);
        }

        static Subject of(RunNotice notice) {
            return new Subject(
                    notice.run(), notice.preset(), notice.status(), null, notice.reason(), null, notice.losses());
        }

        String said() {
            String how = status.name().toLowerCase(Locale.ROOT);
            String why = verdict != null ? verdict.text() : failure;
            return why == null || why.startsWith(how) ? Optional.ofNullable(why).orElse(how) : how + ": " + why;
        }
    }

    private void tell(Subject run, String said, Map<String, String> own, Map<String, ?> more)
            throws IOException, InterruptedException {
        SequencedMap<String, String> pages = new LinkedHashMap<>(own);
        links.forEach((name, address) -> {
            // a page of the run's own is better than the one that all runs are on
            if (own.keySet().stream().noneMatch(better -> better.startsWith(name))) {
                pages.put(name, address);
            }
        });
        String body = format == Format.SLACK
                ? json(Map.of("text", slack(run, said, pages)))
                : json(fields(run, said, pages, more));
        HttpRequest request = HttpRequest.newBuilder(url)
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        try (HttpClient client =
                HttpClient.newBuilder().connectTimeout(PATIENCE).build()) {
            int status =
                    client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
            if (status / 100 != 2) {
                throw new IOException("the webhook at " + url.getHost() + " answered with status " + status);
            }
        } catch (IOException e) {
            throw e.getMessage() != null && e.getMessage().startsWith("the webhook")
                    ? e
                    : new IOException("the webhook at " + url.getHost() + " did not answer: "
                            + e.getClass().getSimpleName());
        }
    }

    /**
     * Connects to the address, by TLS where it is an https one, and says nothing there: whether what stands in its path is right only a message would
     * show.
     *
     * @throws IOException naming the host and what is wrong: no address, nobody there, no certificate for its name
     */
    public void knock() throws IOException {
        boolean encrypted = "https".equals(url.getScheme());
        int port = url.getPort() > 0 ? url.getPort() : encrypted ? 443 : 80;
        String host = url.getHost().replaceAll("[\\[\\]]", "");
        int millis = Math.toIntExact(PATIENCE.toMillis());
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress(InetAddress.getByName(host), port), millis);
            if (encrypted) {
                plain.setSoTimeout(millis);
                SSLSocket secured = (SSLSocket)
                        ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(plain, host, port, false);
                SSLParameters parameters = secured.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                secured.setSSLParameters(parameters);
                secured.startHandshake();
            }
        } catch (UnknownHostException e) {
            throw new IOException("the webhook at " + host + ": no address is known of that name", e);
        } catch (IOException e) {
            throw new IOException("the webhook at %s, port %d: %s".formatted(host, port, e.getMessage()), e);
        }
    }

    /** Verdict, then what is another than before, and since when; for how many earlier ones there are. */
    private static String said(Subject run, Reproduction told) {
        String verdict = told.passed() == null ? "done" : told.passed() ? "passed" : "missed";
        StringBuilder text =
                new StringBuilder("reproduction of %s %s: %s".formatted(run.preset(), verdict, told.text()));
        if (told.drift() != null) {
            text.append(String.format(
                    Locale.ROOT,
                    "; drift of the loss %+.4f from the one before, of %d",
                    told.drift() == 0 ? 0.0 : told.drift(),
                    told.earlier()));
        }
        return text.toString();
    }

    private static String slack(Subject run, String said, Map<String, String> pages) {
        StringBuilder text = new StringBuilder();
        text.append('*').append(run.id()).append("* ").append(escaped(said));
        if (!run.curve().isEmpty()) {
            text.append("\nval loss");
            last(run.curve()).forEach(v -> text.append(String.format(Locale.ROOT, "  %,d: %.4f", v.step(), v.loss())));
        }
        pages.forEach((name, address) ->
                text.append("\n<").append(address).append('|').append(name).append('>'));
        return text.toString();
    }

    private static SequencedMap<String, Object> fields(
            Subject run, String said, Map<String, String> pages, Map<String, ?> more) {
        SequencedMap<String, Object> fields = new LinkedHashMap<>();
        fields.put("run", run.id());
        fields.put("preset", run.preset());
        fields.put("status", run.status());
        fields.put("text", said);
        fields.put("verdict", run.verdict());
        fields.put("seconds", run.seconds());
        fields.put(
                "validationLoss",
                last(run.curve()).stream()
                        .map(v -> Map.of("step", v.step(), "loss", v.loss()))
                        .toList());
        fields.putAll(more);
        fields.put("links", pages);
        return fields;
    }

    private static List<RunNotice.Loss> last(List<RunNotice.Loss> curve) {
        return curve.subList(Math.max(0, curve.size() - CURVE), curve.size());
    }

    /** Slack's three characters. */
    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private static String json(Object value) {
        try {
            return RunJson.MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return "webhook at " + url.getHost();
    }
}
