package pacer.workflows.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** The most memory that a process and its descendants have resident at once, looked at now and then; on Linux. */
final class BenchMemory {
    /** Reading {@code /proc} takes milliseconds of a core: seldom enough not to slow what is measured. */
    static final Duration INTERVAL = Duration.ofMillis(200);

    private final ProcessHandle root;
    private long peak;

    BenchMemory(ProcessHandle root) {
        this.root = root;
    }

    void look() {
        try (Stream<ProcessHandle> below = root.descendants()) {
            long now = resident(root) + below.mapToLong(BenchMemory::resident).sum();
            peak = Math.max(peak, now);
        }
    }

    /** Empty where nothing was seen. */
    OptionalLong peakBytes() {
        return peak > 0 ? OptionalLong.of(peak) : OptionalLong.empty();
    }

    private static long resident(ProcessHandle process) {
        Path status = Path.of("/proc", Long.toString(process.pid()), "status");
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | UncheckedIOException e) {
            return 0; // ended, perhaps while being read; or no Linux
        }
    }
}
