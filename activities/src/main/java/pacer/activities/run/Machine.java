package pacer.activities.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import pacer.trainer.durable.Host;

/** Finds out what this machine and this build of pacer are. */
public final class Machine {
    private Machine() {}

    /** This machine and this build. */
    public static Environment environment() {
        Optional<Path> checkout = checkout();
        return new Environment(
                Host.name(),
                cpu(),
                Runtime.getRuntime().availableProcessors(),
                memoryBytes(),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"),
                version(),
                checkout.flatMap(c -> git(c, "rev-parse", "HEAD")).orElseGet(() -> commit(System.getenv())),
                checkout.flatMap(c -> git(c, "status", "--porcelain", "--untracked-files=no"))
                        .filter(changes -> !changes.isEmpty())
                        .isPresent());
    }

    /** Of a build without a checkout, as images are: they are told theirs by {@code PACER_COMMIT}. Null where nobody knows. */
    static String commit(Map<String, String> environment) {
        String told = environment.getOrDefault("PACER_COMMIT", "").strip();
        return told.matches("[0-9a-f]{7,64}") ? told : null;
    }

    private static String cpu() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException e) {
            return output(Path.of("."), "sysctl", "-n", "machdep.cpu.brand_string")
                    .orElse(System.getProperty("os.arch"));
        }
    }

    private static long memoryBytes() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os
                ? os.getTotalMemorySize()
                : 0;
    }

    /** This build's version. */
    public static String version() {
        try (InputStream in = Machine.class.getResourceAsStream("/pacer/build.properties")) {
            Properties build = new Properties();
            build.load(in);
            return build.getProperty("version");
        } catch (IOException e) {
            throw new IllegalStateException("pacer/build.properties is part of this jar", e);
        }
    }

    /** The git checkout that the running classes were built in. */
    private static Optional<Path> checkout() {
        try {
            Path at = Path.of(Machine.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            while (at != null && !Files.exists(at.resolve(".git"))) {
                at = at.getParent();
            }
            return Optional.ofNullable(at);
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> git(Path checkout, String... arguments) {
        return output(
                checkout, Stream.concat(Stream.of("git"), Stream.of(arguments)).toArray(String[]::new));
    }

    /** What a command prints; empty when it is not there, fails, or takes long. */
    private static Optional<String> output(Path folder, String... command) {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            // its output is read beside the wait: one that hangs closes none
            CompletableFuture<String> text = CompletableFuture.supplyAsync(
                    () -> text(process), reading -> Thread.ofVirtual().start(reading));
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return Optional.empty();
            }
            return process.exitValue() == 0 ? Optional.of(text.join()) : Optional.empty();
        } catch (IOException | CompletionException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private static String text(Process process) {
        try {
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
