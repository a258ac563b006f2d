package pacer.activities.store;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Stands between an S3 client and its server and does what networks and servers do on bad days. One request a connection. */
public final class FaultProxy implements AutoCloseable {
    private static final Pattern LENGTH = Pattern.compile("(?im)^content-length: (\\d+)");

    private static final Pattern RANGE = Pattern.compile("(?im)^range: bytes=(\\d+)-");

    private final ServerSocket listening;
    private final int server;
    private final List<Fault> faults = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private volatile long bytesPerSecond = Long.MAX_VALUE;

    /** What goes wrong. */
    private enum Kind {
        /** The server is not asked; the proxy answers with {@code value} as the status. */
        ANSWER,
        /** The server does it, but its answer is lost. */
        LOSE_ANSWER,
        /** The connection ends after {@code value} bytes of the request's body. */
        CUT_REQUEST,
        /** The connection ends after {@code value} bytes of the answer. */
        CUT_ANSWER
    }

    private record Fault(Kind kind, String request, long value, AtomicInteger times) {}

    public FaultProxy(URI server) throws IOException {
        this.server = server.getPort();
        this.listening = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + listening.getLocalPort());
    }

    /** The first lines of all requests so far, {@code PUT /bucket/key?…}, with {@code from N} where only the end was asked for. */
    public List<String> requests() {
        return requests;
    }

    /** The next {@code times} requests that match the expression {@code request} are answered with {@code status}. */
    public void answer(String request, int status, int times) {
        faults.add(new Fault(Kind.ANSWER, request, status, new AtomicInteger(times)));
    }

    public void loseAnswer(String request, int times) {
        faults.add(new Fault(Kind.LOSE_ANSWER, request, 0, new AtomicInteger(times)));
    }

    public void cutRequest(String request, long after, int times) {
        faults.add(new Fault(Kind.CUT_REQUEST, request, after, new AtomicInteger(times)));
    }

    public void cutAnswer(String request, long after, int times) {
        faults.add(new Fault(Kind.CUT_ANSWER, request, after, new AtomicInteger(times)));
    }

    /** How fast bodies go through, of requests and answers alike. */
    public void limit(long bytesEachSecond) {
        bytesPerSecond = bytesEachSecond;
    }

    /** Nothing goes wrong from here on. */
    public void heal() {
        faults.clear();
        bytesPerSecond = Long.MAX_VALUE;
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                Socket upstream = new Socket(InetAddress.getLoopbackAddress(), server)) {
            InputStream in = new BufferedInputStream(client.getInputStream());
            String head = head(in);
            if (head.isEmpty()) {
                return;
            }
            String line = head.substring(0, head.indexOf(" HTTP/"));
            Matcher range = RANGE.matcher(head);
            requests.add(range.find() ? line + " from " + range.group(1) : line);
            Fault fault = due(line);
            Matcher length = LENGTH.matcher(head);
            long bytes = length.find() ? Long.parseLong(length.group(1)) : 0;
            if (fault != null && fault.kind == Kind.ANSWER) {
                in.skipNBytes(bytes);
                answer(client.getOutputStream(), fault.value);
                return;
            }
            boolean cut = fault != null && fault.kind == Kind.CUT_REQUEST;
            OutputStream out = upstream.getOutputStream();
            // a connection each: whatever is lost, nothing later is
            out.write(head.replaceFirst("\r\n", "\r\nConnection: close\r\n").getBytes(StandardCharsets.ISO_8859_1));
            copy(in, out, cut ? Math.min(bytes, fault.value) : bytes);
            if (cut) {
                return;
            }
            if (fault != null && fault.kind == Kind.LOSE_ANSWER) {
                upstream.getInputStream().readAllBytes();
                return;
            }
            boolean cutAnswer = fault != null && fault.kind == Kind.CUT_ANSWER;
            copy(upstream.getInputStream(), client.getOutputStream(), cutAnswer ? fault.value : Long.MAX_VALUE);
        } catch (IOException | InterruptedException e) {
            return; // one side is gone: so is the other now
        }
    }

    private Fault due(String line) {
        for (Fault fault : faults) {
            if (Pattern.compile(fault.request).matcher(line).find()
                    && fault.times.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                return fault;
            }
        }
        return null;
    }

    private static void answer(OutputStream out, long status) throws IOException {
        String body = status == 200
                ? "<CompleteMultipartUploadResult><ETag>\"0\"</ETag></CompleteMultipartUploadResult>"
                : "<Error><Code>" + (status == 503 ? "SlowDown" : "InternalError") + "</Code><Message>no</Message></Error>";
        out.write(("HTTP/1.1 " + status + " no\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: "
                        + body.length() + "\r\n\r\n" + body)
                .getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private static String head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        int b = in.read();
        while (b >= 0) {
            head.write(b);
            if (b == '\n' && head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
                return head.toString(StandardCharsets.ISO_8859_1);
            }
            b = in.read();
        }
        return "";
    }

    private void copy(InputStream in, OutputStream out, long bytes) throws IOException, InterruptedException {
        byte[] buffer = new byte[8192];
        long left = bytes;
        while (left > 0) {
            long limit = bytesPerSecond;
            int most = (int) Math.min(Math.min(buffer.length, left), Math.max(1, limit / 10));
            int n = in.read(buffer, 0, most);
            if (n < 0) {
                break;
            }
            out.write(buffer, 0, n);
            left -= n;
            if (limit != Long.MAX_VALUE) {
                Thread.sleep(1000L * n / limit);
            }
        }
        out.flush();
    }

    /** Those of the requests that begin so. */
    public List<String> requests(String beginning) {
        List<String> found = new ArrayList<>(requests);
        found.removeIf(line -> !line.startsWith(beginning));
        return found;
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
