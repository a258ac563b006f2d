package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.RunJson;

class BenchReportTest {
    private final BenchReport report = new BenchReport(
            Instant.parse("2026-11-22T23:59:59.123Z"),
            BenchSamples.MACHINE,
            "pacer bench tiny --python /home/me/torch/bin/python --set dataset.url=file:/home/me/text.txt --steps 20",
            BenchSamples.steps(BenchSamples.pair(10, 40), BenchSamples.pair(12, 40)));

    @TempDir
    private Path folder;

    @Test
    void filesAreNamedByModelHardwareAndDate() throws IOException {
        String name = "tiny-fp32-step_amd-epyc-9r45-2-cores_2026-11-22";
        assertThat(report.save(folder)).hasFileName(name + ".md");
        assertThat(report.save(folder)).hasFileName(name + "-2.md");
        assertThat(folder.resolve(name + ".json")).exists();
        assertThat(folder.resolve(name + "-2.json")).exists();
    }

    @Test
    void theJsonHoldsEveryRawResult() throws IOException {
        Path page = report.save(folder);
        JsonNode json = RunJson.MAPPER.readTree(Files.readString(
                page.resolveSibling(page.getFileName().toString().replace(".md", ".json"))));
        assertThat(json.at("/time").asText()).isEqualTo("2026-11-22T23:59:59Z");
        assertThat(json.at("/machine/cpu").asText()).isEqualTo("AMD EPYC 9R45 96-Core Processor");
        assertThat(json.at("/machine").has("host")).isFalse();
        assertThat(json.at("/result/kind").asText()).isEqualTo("step");
        assertThat(json.at("/result/what/model/width").asInt()).isEqualTo(32);
        assertThat(json.at("/result/pairs/1/ours/step/millis/median").asDouble())
                .isEqualTo(12);
        assertThat(json.at("/result/pairs/1/theirs/step/engine").asText()).isEqualTo("PyTorch 2.15.0");
    }

    @Test
    void thePageSaysWhatWhereWhenAndHow() {
        assertThat(report.markdown("raw.json").lines())
                .contains(
                        "# tiny, fp32: 0.28x (0.25 to 0.30) of PyTorch's time a step, 11.00 ms a step",
                        "- measured 2026-11-22T23:59:59Z with `pacer bench tiny --python python --set"
                                + " dataset.url=file:text.txt --steps 20`",
                        "- machine: AMD EPYC 9R45 96-Core Processor, 2 cores, 25.0 GB of memory, Linux 6.1 amd64",
                        "- pacer 0.1.0 (0123abc), OpenJDK 25",
                        "- load when it began: 0.10",
                        "| median of 2 | pacer | PyTorch 2.15.0 | ratio |",
                        "|---|--:|--:|--:|",
                        "| step, median | 11.00 ms | 40.00 ms | 0.28x (0.25 to 0.30) |",
                        "- raw results: [raw.json](raw.json)");
    }

    @Test
    void aBusyMachineIsSaid() {
        BenchReport.BenchMachine busy = new BenchReport.BenchMachine("cpu", 2, 1, "os", "jvm", "0.1.0", null, 1.5);
        BenchReport said = new BenchReport(Instant.EPOCH, busy, "pacer bench", report.result());
        assertThat(said.facts())
                .anyMatch(fact -> fact.contains("load when it began: 1.50; others worked on this machine"));
        assertThat(report.facts()).noneMatch(fact -> fact.contains("others"));
    }

    @Test
    void theTerminalShowsTheSame() {
        Screen screen = new Screen();
        report.print(screen.terminal(false, 100));
        assertThat(screen.seen())
                .contains("tiny, fp32: 0.28x (0.25 to 0.30) of PyTorch's time a step, 11.00 ms a step")
                .anyMatch(line -> line.matches("step, median +11.00 ms +40.00 ms +0.28x \\(0.25 to 0.30\\)"));
    }

    @Test
    void relativePathsAndAddressesStay() {
        assertThat(BenchReport.withoutPlaces("--save docs/benchmarks --set dataset.url=https://host/a/b.txt /one/two"))
                .isEqualTo("--save docs/benchmarks --set dataset.url=https://host/a/b.txt two");
    }
}
