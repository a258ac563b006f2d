package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.RunHub;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.DatasetManifest;

/** Two processes that want the same dataset at once: one makes it, the other takes it. */
@Timeout(60)
class SameDatasetTest {
    @TempDir
    private Path folder;

    /** Waits for the start file, prepares, and says whether it took what was there. */
    static final class Preparing {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            Path folder = Path.of(arguments[0]);
            Home home = TestRuns.home(folder);
            Datasets datasets = new Datasets(
                    home,
                    new StageLog(home, new RunHub(), Clock.systemUTC()),
                    Clock.systemUTC(),
                    FetchSettings.of(Map.of()));
            Files.writeString(folder.resolve("ready-" + ProcessHandle.current().pid()), "");
            while (!Files.exists(folder.resolve("start"))) {
                Thread.onSpinWait();
            }
            DatasetResult result = datasets.prepare(new DatasetRequest(null, spec(folder)), new TestStage());
            System.out.println((result.reused() ? "took " : "made ") + result.hash());
        }
    }

    private static DatasetSpec spec(Path folder) {
        return new DatasetSpec(
                "file:" + folder.resolve("text.txt"),
                "",
                DatasetSpec.Format.TEXT,
                DatasetSpec.Tokenizer.CHARACTERS,
                0.1);
    }

    @Test
    void oneMakesItAndTheOthersTakeIt() throws Exception {
        TestRuns.text(folder.resolve("text.txt"), 3000);
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(OtherJvm.start(Preparing.class, folder.resolve("log-" + i), folder.toString()));
        }
        while (ready() < 3) {
            Thread.sleep(10);
        }
        Files.writeString(folder.resolve("start"), "");
        List<String> said = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            assertThat(processes.get(i).waitFor())
                    .as(Files.readString(folder.resolve("log-" + i)))
                    .isZero();
            said.add(Files.readAllLines(folder.resolve("log-" + i)).getLast());
        }
        assertThat(said).filteredOn(line -> line.startsWith("made ")).hasSize(1);
        assertThat(said)
                .extracting(line -> line.substring(5))
                .containsOnly(said.getFirst().substring(5));
        Path dataset = TestRuns.home(folder).datasets().resolve(said.getFirst().substring(5));
        assertThat(DatasetManifest.read(dataset).shards()).isNotEmpty();
    }

    /** The program of `infra/faults`, which does a thousand rounds with it, also against a store. */
    @Test
    void oneMakesItAndTheOtherTakesItRoundAfterRound() throws Exception {
        Path program = Path.of("../infra/faults/SameKey.java").toAbsolutePath().normalize();
        int rounds = 50;
        List<Process> processes = new ArrayList<>();
        List<List<String>> said = new ArrayList<>();
        try {
            for (int who = 0; who < 2; who++) {
                processes.add(OtherJvm.startProgram(
                        program,
                        folder.resolve("log-" + who),
                        folder.toString(),
                        "cache",
                        Integer.toString(rounds),
                        "1",
                        Integer.toString(who)));
            }
            for (int who = 0; who < 2; who++) {
                Path log = folder.resolve("log-" + who);
                assertThat(processes.get(who).waitFor(50, TimeUnit.SECONDS)).isTrue();
                assertThat(processes.get(who).exitValue())
                        .as(Files.readString(log))
                        .isZero();
                said.add(Files.readAllLines(log).stream()
                        .filter(line -> line.startsWith("made ") || line.startsWith("took "))
                        .toList());
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
        assertThat(said.getFirst()).hasSize(rounds);
        for (int round = 0; round < rounds; round++) {
            String hash = said.getFirst().get(round).substring(5);
            assertThat(List.of(said.get(0).get(round), said.get(1).get(round)))
                    .as("round " + round)
                    .containsExactlyInAnyOrder("made " + hash, "took " + hash);
        }
    }

    private long ready() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith("ready-"))
                    .count();
        }
    }
}
