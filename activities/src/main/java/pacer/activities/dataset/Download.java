package pacer.activities.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Sha256;

/**
 * Fetches one file over https into a part file, going on where an earlier attempt ended, and gives it its name once its
 * SHA-256 is the expected one. A failure that may pass is an {@link IOException}: call again, and it goes on.
 */
public final class Download {
    private static final int MAX_REDIRECTS = 5;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> MAY_PASS = Set.of(408, 425, 429);

    /** Of the server's own faults (500 and above, those of proxies before it too) those that stay. */
    private static final Set<Integer> STAYS = Set.of(501, 505);

    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d+)-(\\d+)/(\\d+|\\*)");

    /** How often the disk is looked at while a body of unknown length comes, and what must be free then. */
    private static final long LOOK_BYTES = 1 << 28;

    private static final long RESERVE_BYTES = 1 << 30;

    private final FetchSettings settings;
    private final String setting;
    private final UrlGuard guard;

    Download(FetchSettings settings) {
        this(settings, "dataset.url");
    }

    /** @param setting whose address is fetched, {@code dataset.url}, for messages */
    public Download(FetchSettings settings, String setting) {
        this.settings = settings;
        this.setting = setting;
        this.guard = new UrlGuard(settings.allowPrivate(), setting);
    }

    /** Hears how many bytes are there, and of how many (empty: unknown); ends the download by throwing. */
    @FunctionalInterface
    public interface Listener {
        void received(long bytes, OptionalLong total);
    }

    /**
     * Fetches {@code uri} to {@code target}; {@code target}{@code .part} holds what is there so far.
     *
     * @throws BadInputException when trying again cannot help: refused address, 404, too large, another digest
     * @throws IOException when it may: no connection, cut, stalled, server errors
     */
    public void fetch(URI uri, String sha256, Path target, Listener listener) throws IOException, InterruptedException {
        Path part = target.resolveSibling(target.getFileName() + ".part");
        String _ = fetchPart(uri, Optional.of(sha256), part, listener);
        DurableFiles.move(part, target);
    }

    /**
     * Fetches {@code uri} to {@code part}, which holds what is there so far, and brings it to the disk. Of a file whose digest is not known
     * an earlier attempt is gone on with only where the server says that the file is still the same: {@code part}{@code .tag} has its
     * entity tag.
     *
     * @param sha256 the expected digest; empty where none is known
     * @return the digest of the whole file
     * @throws BadInputException as {@link #fetch}
     * @throws IOException as {@link #fetch}
     */
    public String fetchPart(URI uri, Optional<String> sha256, Path part, Listener listener)
            throws IOException, InterruptedException {
        Files.createDirectories(part.getParent());
        EntityTag tag = EntityTag.of(part);
        try (HttpClient client = client();
                FileChannel out = FileChannel.open(
                        part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MessageDigest digest = Sha256.begin();
            Optional<String> same = sha256.isPresent() ? Optional.empty() : tag.read();
            long had = sha256.isEmpty() && same.isEmpty() ? 0 : out.size();
            digestOf(out, had, digest, listener); // now: a server does not wait for who reads nothing for minutes
            if (sha256.isPresent() && had > 0 && isWhole(digest, sha256.get())) {
                return sha256.get(); // killed before it got its name
            }
            HttpResponse<InputStream> response = open(client, uri, from(had), same);
            if (had > 0 && response.statusCode() != 206) {
                // the server knows no ranges, or the file is another or shorter now: from the beginning
                had = 0;
                digest.reset();
                if (response.statusCode() == 416) {
                    response.body().close();
                    response = open(client, uri, Optional.empty(), Optional.empty());
                }
            }
            try (InputStream body = response.body()) {
                OptionalLong total = total(uri, response, had);
                checkSize(uri, total, part);
                if (had == 0) {
                    out.truncate(0);
                    tag.write(response.headers().firstValue("ETag"));
                }
                out.truncate(had);
                copy(uri, body, part, out, digest, had, total, listener);
            }
            out.force(true);
            tag.clear();
            return prove(uri, sha256, Sha256.hex(digest), part, had > 0);
        }
    }

    private static Optional<String> from(long byteNumber) {
        return byteNumber == 0 ? Optional.empty() : Optional.of("bytes=" + byteNumber + "-");
    }

    /** Whether the home of {@code uri} gives parts of it, as far as one question tells. */
    boolean givesRanges(URI uri) throws IOException, InterruptedException {
        try (HttpClient client = client()) {
            HttpResponse<InputStream> response = open(client, uri, Optional.of("bytes=1-1"), Optional.empty());
            response.body().close();
            return response.statusCode() == 206
                    && response.headers()
                            .firstValue("Content-Range")
                            .filter(range -> range.startsWith("bytes 1-1/"))
                            .isPresent();
        }
    }

    /**
     * Fetches bytes {@code from} to {@code to} (exclusive) of {@code uri} to {@code target}.
     *
     * @return the digest of those bytes
     * @throws BadInputException as {@link #fetch}
     * @throws IOException as {@link #fetch}
     */
    String fetchRange(URI uri, long from, long to, Path target, Listener listener)
            throws IOException, InterruptedException {
        try (HttpClient client = client();
                FileChannel out = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            MessageDigest digest = Sha256.begin();
            Optional<String> range = Optional.of("bytes=" + from + "-" + (to - 1));
            HttpResponse<InputStream> response = open(client, uri, range, Optional.empty());
            try (InputStream body = response.body()) {
                if (response.statusCode() != 206) {
                    throw new IOException("%s: asked for bytes %d to %d, the server answers %d; it gave such before"
                            .formatted(UrlGuard.shown(uri), from, to, response.statusCode()));
                }
                OptionalLong _ = total(uri, response, from);
                copy(uri, body, target, out, digest, 0, OptionalLong.of(to - from), listener);
            }
            return Sha256.hex(digest);
        }
    }

    private String prove(URI uri, Optional<String> sha256, String found, Path part, boolean resumed)
            throws IOException {
        if (sha256.isEmpty() || found.equals(sha256.get())) {
            return found;
        }
        Files.delete(part);
        if (resumed) {
            throw new IOException(
                    UrlGuard.shown(uri) + ": what was there of an earlier attempt did not fit; it is fetched whole");
        }
        throw new BadInputException(
                setting.substring(0, setting.indexOf('.')) + ".sha256: " + UrlGuard.shown(uri) + " has SHA-256 " + found
                        + ", expected " + sha256.get() + "; the file changed at its home, or the preset is wrong");
    }

    private static boolean isWhole(MessageDigest digest, String sha256) {
        try {
            return Sha256.hex((MessageDigest) digest.clone()).equals(sha256);
        } catch (CloneNotSupportedException e) {
            return false; // then the server is asked
        }
    }

    private static void digestOf(FileChannel part, long length, MessageDigest digest, Listener listener)
            throws IOException {
        long[] read = {0};
        Sha256.update(digest, part, 0, length, n -> {
            read[0] += n;
            listener.received(read[0], OptionalLong.empty());
        });
    }

    private HttpClient client() {
        HttpClient.Builder builder = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER) // each hop passes the guard
                .connectTimeout(Duration.ofSeconds(20));
        if (settings.trust() != null) {
            builder.sslContext(settings.trust());
        }
        return builder.build();
    }

    /** Follows redirects to a response with a body worth reading: 200, 206 or 416. */
    private HttpResponse<InputStream> open(HttpClient client, URI from, Optional<String> range, Optional<String> ifSame)
            throws IOException, InterruptedException {
        URI uri = from;
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            guard.check(uri);
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(uri).timeout(settings.stall()).header("Accept-Encoding", "identity");
            if (range.isPresent()) {
                request.header("Range", range.get());
                ifSame.ifPresent(tag -> request.header("If-Range", tag));
            }
            HttpResponse<InputStream> response = send(client, request.build());
            int status = response.statusCode();
            if (status == 200 || status == 206 || (status == 416 && range.isPresent())) {
                return response;
            }
            response.body().close();
            if (REDIRECTS.contains(status)) {
                uri = target(uri, response.headers().firstValue("Location").orElse(""));
            } else if (MAY_PASS.contains(status) || (status >= 500 && !STAYS.contains(status))) {
                throw new IOException(UrlGuard.shown(uri) + ": the server answers " + status);
            } else {
                throw new BadInputException(setting + ": " + UrlGuard.shown(uri) + ": the server answers " + status);
            }
        }
        throw new BadInputException(
                setting + ": " + UrlGuard.shown(from) + " redirects more than " + MAX_REDIRECTS + " times");
    }

    /** The client's own messages name no address, and are missing where a connection is refused. */
    private static HttpResponse<InputStream> send(HttpClient client, HttpRequest request)
            throws IOException, InterruptedException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (ConnectException e) {
            throw new IOException(UrlGuard.shown(request.uri()) + ": no connection (" + said(e) + ")", e);
        } catch (IOException e) {
            throw new IOException(UrlGuard.shown(request.uri()) + ": " + said(e), e);
        }
    }

    private static String said(IOException e) {
        return e.getMessage() != null ? e.getMessage() : e.getClass().getSimpleName();
    }

    private URI target(URI from, String location) {
        try {
            if (!location.isBlank()) {
                return from.resolve(location);
            }
        } catch (IllegalArgumentException e) {
            throw noAddress(from, location);
        }
        throw noAddress(from, location);
    }

    private BadInputException noAddress(URI from, String location) {
        return new BadInputException(
                setting + ": " + UrlGuard.shown(from) + " redirects to '" + location.replaceAll("\\?.*", "?…")
                        + "' (its header Location), which is no URL; give the address of the file itself");
    }

    /** Length of the whole file, as far as the server says. */
    private OptionalLong total(URI uri, HttpResponse<InputStream> response, long had) throws IOException {
        String encoding = response.headers().firstValue("Content-Encoding").orElse("identity");
        if (!encoding.equalsIgnoreCase("identity")) {
            throw new BadInputException(setting + ": " + UrlGuard.shown(uri) + " comes as " + encoding
                    + ", though the plain bytes were asked for");
        }
        if (response.statusCode() != 206) {
            return response.headers().firstValueAsLong("Content-Length");
        }
        String header = response.headers().firstValue("Content-Range").orElse("");
        Matcher range = CONTENT_RANGE.matcher(header);
        if (!range.matches() || Long.parseLong(range.group(1)) != had) {
            throw new IOException(
                    UrlGuard.shown(uri) + ": asked for bytes from " + had + ", got Content-Range '" + header + "'");
        }
        return range.group(3).equals("*") ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(range.group(3)));
    }

    private void checkSize(URI uri, OptionalLong total, Path part) throws IOException {
        if (total.isEmpty()) {
            return;
        }
        if (total.getAsLong() > settings.maxBytes()) {
            throw tooLarge(uri);
        }
        long left = total.getAsLong() - Files.size(part);
        long room = Files.getFileStore(part).getUsableSpace();
        if (left > room) {
            throw new BadInputException(UrlGuard.shown(uri) + " needs " + left + " more bytes in " + part.getParent()
                    + ", where " + room + " are free; make room, or move the cache (PACER_CACHE)");
        }
    }

    private void copy(
            URI uri,
            InputStream body,
            Path part,
            FileChannel out,
            MessageDigest digest,
            long had,
            OptionalLong total,
            Listener listener)
            throws IOException {
        AtomicLong received = new AtomicLong(had);
        long looked = had;
        byte[] buffer = new byte[1 << 17];
        listener.received(had, total);
        try (StallWatch watch = new StallWatch(body, settings.stall(), received)) {
            out.position(had);
            int n = read(uri, body, buffer, watch);
            while (n >= 0) {
                if (received.get() + n > settings.maxBytes()) {
                    throw tooLarge(uri);
                }
                if (total.isPresent() && received.get() + n > total.getAsLong()) {
                    throw new IOException(UrlGuard.shown(uri) + ": more came than the " + total.getAsLong()
                            + " bytes that were announced");
                }
                if (total.isEmpty() && received.get() - looked >= LOOK_BYTES) {
                    looked = received.get();
                    requireRoom(uri, part, out);
                }
                digest.update(buffer, 0, n);
                ByteBuffer chunk = ByteBuffer.wrap(buffer, 0, n);
                while (chunk.hasRemaining()) {
                    out.write(chunk);
                }
                listener.received(received.addAndGet(n), total);
                n = read(uri, body, buffer, watch);
            }
        }
        if (total.isPresent() && received.get() != total.getAsLong()) {
            throw new IOException(
                    UrlGuard.shown(uri) + ": ended after " + received.get() + " of " + total.getAsLong() + " bytes");
        }
    }

    /** Of a body whose length nobody announced: it may have no end, and others need the disk too. */
    private static void requireRoom(URI uri, Path part, FileChannel out) throws IOException {
        long room = Files.getFileStore(part).getUsableSpace();
        if (room < RESERVE_BYTES) {
            long had = out.size();
            out.truncate(0);
            throw new BadInputException(UrlGuard.shown(uri) + " does not say how long it is; after " + had
                    + " bytes of it only " + room + " are free in " + part.getParent()
                    + ", and it was deleted; make room, or move the cache (PACER_CACHE)");
        }
    }

    private static int read(URI uri, InputStream body, byte[] buffer, StallWatch watch) throws IOException {
        try {
            int n = body.read(buffer);
            if (n >= 0 || !watch.fired()) {
                return n;
            }
        } catch (IOException e) {
            if (!watch.fired()) {
                throw new IOException(UrlGuard.shown(uri) + ": " + said(e), e);
            }
        }
        throw new IOException(
                UrlGuard.shown(uri) + ": nothing came for " + watch.patience().toSeconds() + " s");
    }

    private BadInputException tooLarge(URI uri) {
        return new BadInputException(
                setting + ": " + UrlGuard.shown(uri) + " is larger than " + settings.maxBytes() + " bytes");
    }
}
