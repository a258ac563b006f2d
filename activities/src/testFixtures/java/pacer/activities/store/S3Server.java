package pacer.activities.store;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import pacer.activities.process.Ports;
import pacer.trainer.durable.DurableFiles;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * A real S3 server, versitygw, for the tests of a class, with one bucket; from the folder that the system property {@code pacer.stack}
 * names ({@code infra/local/install} fills one). Tests are left out where it is not set.
 */
public final class S3Server implements BeforeAllCallback, AfterAllCallback {
    public static final String BUCKET = "pacer";
    static final String ID = "tester";
    static final String SECRET = "a-secret-of-tests";

    private Path folder;
    private Process process;
    private int port;
    private Thread last;

    @Override
    public void beforeAll(ExtensionContext context) throws IOException, InterruptedException {
        String stack = System.getProperty("pacer.stack", "");
        assumeTrue(
                !stack.isEmpty(), "no S3 server: give -Dpacer.stack=FOLDER, one that infra/local/install has filled");
        folder = Files.createTempDirectory("pacer-s3");
        Files.createDirectory(folder.resolve(BUCKET)); // a folder is a bucket to it
        Ports.race(() -> start(Path.of(stack, "versitygw")));
    }

    private void start(Path program) throws IOException, InterruptedException {
        port = Ports.free();
        ProcessBuilder builder = new ProcessBuilder(
                        program.toString(),
                        "--port",
                        "127.0.0.1:" + port,
                        "--region",
                        "us-east-1",
                        "--health",
                        "/health",
                        "--quiet",
                        "--iam-dir",
                        Files.createDirectories(Path.of(folder + ".iam")).toString(),
                        "posix",
                        folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(Path.of(folder + ".log").toFile());
        builder.environment().put("ROOT_ACCESS_KEY_ID", ID);
        builder.environment().put("ROOT_SECRET_ACCESS_KEY", SECRET);
        process = builder.start();
        last = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(last);
        awaitHealth();
    }

    private void awaitHealth() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        HttpRequest question = HttpRequest.newBuilder(uri().resolve("/health"))
                .timeout(Duration.ofSeconds(2))
                .build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            while (true) {
                try {
                    if (client.send(question, HttpResponse.BodyHandlers.discarding())
                                    .statusCode()
                            == 200) {
                        return;
                    }
                } catch (IOException notYet) {
                    if (System.nanoTime() > deadline || !process.isAlive()) {
                        process.destroyForcibly().waitFor();
                        throw new IOException("versitygw does not answer; see " + folder + ".log", notYet);
                    }
                }
                Thread.sleep(20);
            }
        }
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + port);
    }

    int port() {
        return port;
    }

    /** Access by way of {@code endpoint}. */
    static S3Settings access(URI endpoint) {
        return S3Settings.of(environment(endpoint, ""));
    }

    /** Variables that name a store under {@code prefix} of the bucket. */
    public Map<String, String> environment(String prefix) {
        return environment(uri(), prefix);
    }

    /** The same by way of {@code endpoint}. */
    public static Map<String, String> environment(URI endpoint, String prefix) {
        return new HashMap<>(Map.of(
                "PACER_STORE", "s3://" + BUCKET + "/" + prefix,
                "AWS_ENDPOINT_URL_S3", endpoint.toString(),
                "AWS_REGION", "us-east-1",
                "AWS_ACCESS_KEY_ID", ID,
                "AWS_SECRET_ACCESS_KEY", SECRET));
    }

    /** Variables of a user who may do nothing in the bucket but {@code actions}, such as {@code s3:GetObject}. */
    public Map<String, String> environmentOf(String user, List<String> actions)
            throws IOException, InterruptedException {
        String secret = "a-secret-of-" + user;
        Path program = Path.of(System.getProperty("pacer.stack"), "versitygw");
        Process made = new ProcessBuilder(
                        program.toString(),
                        "admin",
                        "--access",
                        ID,
                        "--secret",
                        SECRET,
                        "--region",
                        "us-east-1",
                        "--endpoint-url",
                        uri().toString(),
                        "create-user",
                        "--access",
                        user,
                        "--secret",
                        secret,
                        "--role",
                        "user")
                .redirectErrorStream(true)
                .redirectOutput(Path.of(folder + ".log").toFile())
                .start();
        if (made.waitFor() != 0) {
            throw new IOException("versitygw makes no user; see " + folder + ".log");
        }
        String policy = """
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ["%s"]},
                 "Action": [%s], "Resource": ["arn:aws:s3:::%s", "arn:aws:s3:::%s/*"]}]}
                """.formatted(
                        user,
                        actions.stream().map(a -> '"' + a + '"').collect(Collectors.joining(",")),
                        BUCKET,
                        BUCKET);
        try (S3Client client = S3Clients.open(access(uri()))) {
            client.putBucketPolicy(r -> r.bucket(BUCKET).policy(policy));
        }
        Map<String, String> environment = environment("");
        environment.put("AWS_ACCESS_KEY_ID", user);
        environment.put("AWS_SECRET_ACCESS_KEY", secret);
        return environment;
    }

    /** The file in which the server keeps the object of {@code key}. */
    public Path file(String key) {
        return folder.resolve(BUCKET).resolve(key);
    }

    /** Changes the last byte of an object behind the server's back. */
    public void flip(String key) throws IOException {
        byte[] bytes = Files.readAllBytes(file(key));
        bytes[bytes.length - 1] ^= 1;
        Files.write(file(key), bytes); // into the same file, so that the server's metadata stay
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        if (process == null) {
            return;
        }
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Optional.ofNullable(last).ifPresent(hook -> {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
                DurableFiles.deleteTree(folder);
                DurableFiles.deleteTree(Path.of(folder + ".iam"));
                Files.deleteIfExists(Path.of(folder + ".log"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
