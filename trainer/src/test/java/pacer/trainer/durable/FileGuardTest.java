package pacer.trainer.durable;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.ChildJvm;

@Timeout(60)
class FileGuardTest {
    @TempDir
    private Path folder;

    /** Adds one to the number in a file, as often as told, each time under the guard. */
    static final class Counting {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            Path folder = Path.of(arguments[0]);
            for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
                try (FileGuard _ = FileGuard.take(folder.resolve("lock"), () -> {})) {
                    add(folder.resolve("number"));
                }
            }
        }

        static void add(Path file) throws IOException {
            int before = Files.exists(file) ? Integer.parseInt(Files.readString(file)) : 0;
            Files.writeString(file, Integer.toString(before + 1));
        }
    }

    /** Takes the guard and holds it until killed. */
    static final class Holding {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            Path folder = Path.of(arguments[0]);
            try (FileGuard _ = FileGuard.take(folder.resolve("lock"), () -> {})) {
                System.out.println("held");
                Thread.sleep(Long.MAX_VALUE);
            }
        }
    }

    @Test
    void processesAndThreadsExcludeEachOther() throws Exception {
        try (ChildJvm other = ChildJvm.start(Counting.class, folder, 100)) {
            CompletableFuture<?>[] threads = new CompletableFuture<?>[2];
            for (int t = 0; t < threads.length; t++) {
                threads[t] = CompletableFuture.runAsync(() -> {
                    try {
                        Counting.main(new String[] {folder.toString(), "100"});
                    } catch (IOException | InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
            }
            CompletableFuture.allOf(threads).join();
            assertThat(other.exitCode()).isZero();
        }
        assertThat(folder.resolve("number")).hasContent("300");
    }

    @Test
    void aKilledHolderLetsGo() throws Exception {
        try (ChildJvm other = ChildJvm.start(Holding.class, folder)) {
            assertThat(other.line()).isEqualTo("held");
            assertThat(FileGuard.tryTake(folder.resolve("lock"))).isEmpty();
            AtomicInteger waits = new AtomicInteger();
            try (FileGuard _ = FileGuard.take(folder.resolve("lock"), () -> {
                if (waits.incrementAndGet() == 2) {
                    other.close();
                }
            })) {
                assertThat(other.isAlive()).isFalse();
            }
        }
    }

    @Test
    void aSecondTryInTheSameProcessFindsItTaken() throws Exception {
        try (FileGuard _ = FileGuard.tryTake(folder.resolve("lock")).orElseThrow()) {
            assertThat(FileGuard.tryTake(folder.resolve("lock"))).isEmpty();
        }
        FileGuard.tryTake(folder.resolve("lock")).orElseThrow().close();
    }

    @Test
    void anotherThreadMayLetGo() throws Exception {
        FileGuard guard = FileGuard.tryTake(folder.resolve("lock")).orElseThrow();
        Thread other = Thread.ofVirtual().start(() -> {
            try {
                guard.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        other.join();
        FileGuard.tryTake(folder.resolve("lock")).orElseThrow().close();
    }

    @Test
    void patienceEnds() throws Exception {
        try (ChildJvm other = ChildJvm.start(Holding.class, folder)) {
            assertThat(other.line()).isEqualTo("held");
            long begun = System.nanoTime();
            assertThat(FileGuard.tryTake(folder.resolve("lock"), Duration.ofMillis(200)))
                    .isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(Duration.ofMillis(200));
        }
    }

    @Test
    void aLinkToTheFolderLeadsToTheSameLock() throws Exception {
        Path home = Files.createDirectory(folder.resolve("home"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), home);
        try (FileGuard _ = FileGuard.tryTake(home.resolve("lock")).orElseThrow()) {
            assertThat(FileGuard.tryTake(link.resolve("lock"))).isEmpty();
        }
    }
}
