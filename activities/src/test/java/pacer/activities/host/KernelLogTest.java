package pacer.activities.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;

@Timeout(60)
class KernelLogTest {
    @TempDir
    private Path folder;

    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final List<String> complaints = new ArrayList<>();

    private boolean follow(Path source) {
        return KernelLog.follow(Map.of(KernelLog.VARIABLE, source.toString()), lines::add, complaints::add);
    }

    private String next() throws InterruptedException {
        return lines.poll(30, TimeUnit.SECONDS);
    }

    private static void append(Path file, String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @Test
    void aFileIsFollowedFromItsEndOnAlsoWhereItIsRotatedOrCut() throws Exception {
        Path file = folder.resolve("kern.log");
        append(file, "before\n");
        assertThat(follow(file)).isTrue();
        append(file, "fir");
        append(file, "st\nsecond\n");
        assertThat(next()).isEqualTo("first");
        assertThat(next()).isEqualTo("second");
        append(file, "last of the old one\n");
        Files.move(file, folder.resolve("kern.log.1"));
        append(file, "rotated\n");
        assertThat(next()).isEqualTo("last of the old one");
        assertThat(next()).isEqualTo("rotated");
        Files.writeString(file, "");
        while (Files.size(file) > 0 || lines.poll(1, TimeUnit.SECONDS) != null) {
            Thread.onSpinWait();
        }
        append(file, "cut\n");
        assertThat(next()).isEqualTo("cut");
        assertThat(complaints).isEmpty();
    }

    @Test
    void aFifoIsReadWhoeverWritesIt() throws Exception {
        Path fifo = folder.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor())
                .isZero();
        assertThat(follow(fifo)).isTrue();
        for (String line : List.of("one", "two", "three")) {
            Files.writeString(fifo, line + "\n", StandardOpenOption.WRITE);
            assertThat(next()).isEqualTo(line);
        }
    }

    @Test
    void whatIsNotThereIsSaidBeforeAWorkerBegins() {
        assertThatThrownBy(() -> follow(folder.resolve("none")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll("PACER_KERNEL_LOG", "none is no file");
    }

    @Test
    void theFirstFatalErrorMakesAHostUnfitAndAllAreCounted() {
        HostHealth health = new HostHealth();
        List<String> heard = new ArrayList<>();
        health.onUnfit(heard::add);
        assertThat(health.counts()).isEmpty();
        health.watched();
        health.see("NVRM: Xid (PCI:0000:3b:00): 31, pid=7, name=java, Ch 00000008");
        assertThat(health.unfit()).isEmpty();
        health.see("NVRM: Xid (PCI:0000:3b:00): 48, pid=7, name=java, DBE");
        health.see("NVRM: Xid (PCI:0000:86:00): 79, GPU has fallen off the bus.");
        health.see("NVRM: Xid (PCI:0000:86:00): 79, GPU has fallen off the bus.");
        assertThat(health.unfit())
                .contains("Xid 48 of GPU PCI:0000:3b:00: an error of its memory that could not be corrected");
        assertThat(heard).hasSize(1);
        assertThat(health.counts())
                .contains(
                        new HostHealth.Count(new HostHealth.Errors(31, false), 1),
                        new HostHealth.Count(new HostHealth.Errors(48, true), 1),
                        new HostHealth.Count(new HostHealth.Errors(79, true), 2),
                        new HostHealth.Count(new HostHealth.Errors(95, true), 0));
    }
}
