package pacer.activities.publishing.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;
import pacer.activities.run.Environment;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.Verdict;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

class ReportWriterTest {
    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final String HOSTILE = "</pre></main><script>alert('x')</script>&amp; \"q\" \u0000 \u202E <b";

    @TempDir
    Path folder;

    @BeforeEach
    void preset() throws IOException {
        Files.writeString(folder.resolve("preset.yaml"), """
                name: tiny
                description: a < b & c
                dataset: {url: 'file:/tmp/x.txt'}
                model: {layers: 1, heads: 1, width: 8, sequenceLength: 8}
                train: {steps: 100000, batchTokens: 8, microBatch: 1}
                optimizer: {learningRate: 1e-3}
                expectation: {validationLoss: 1.69, referenceLoss: 1.68, source: 'the <original> code'}
                cost: {dollarsPerHour: 36}
                """);
    }

    private void record(RunStatus status, Verdict verdict, String note, String failure) throws IOException {
        StageRecord train = new StageRecord(
                Stage.TRAIN, StageRecord.Status.DONE, "k", NOON, NOON.plusSeconds(90), 90, 2, false, HOSTILE, null);
        Environment machine =
                new Environment("h", "cpu & co", 2, 25_000_000_000L, "os", "jvm", "0.1.0", "abc123", true);
        RunRecord run = new RunRecord(
                "tiny-1", "tiny", "f00d", note, status, NOON, NOON, "w", machine, List.of(train), verdict, failure);
        Files.write(folder.resolve("run.json"), RunJson.MAPPER.writeValueAsBytes(run));
    }

    private void events(Iterable<? extends TrainingEvent> events) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (TrainingEvent event : events) {
            lines.append(EventLog.line(event)).append('\n');
        }
        Files.writeString(folder.resolve("events.jsonl"), lines);
    }

    private static TrainingEvent step(int step, double loss) {
        return new TrainingEvent.Step(NOON, step, loss, 0.5, 1e-3, 10, 800);
    }

    private String page() throws IOException {
        return Files.readString(ReportWriter.write(folder));
    }

    /** The part that carries data, read strictly: an unescaped character or an unclosed element is an error. */
    private static Document strict(String page) throws Exception {
        String main = page.substring(page.indexOf("<main>"), page.indexOf("</main>") + "</main>".length());
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(main)));
    }

    @Test
    void hostileTextStaysText() throws Exception {
        record(RunStatus.FINISHED, new Verdict(true, 1.6784, 1.69, HOSTILE), HOSTILE, null);
        Files.createDirectory(folder.resolve("samples"));
        Files.write(folder.resolve("samples/final-1.txt"), new byte[] {'<', (byte) 0xff, '&', 'z'});
        events(List.of(
                new TrainingEvent.Started(NOON, 0, 100_000, 800, 8, 1, HOSTILE, 1, null),
                step(1, 4.3),
                new TrainingEvent.Notice(NOON, 1, HOSTILE),
                new TrainingEvent.Sampled(NOON, 1, "</pre>", "</pre>" + HOSTILE),
                new TrainingEvent.Validated(NOON, 1, 4.2, 8, true)));
        String page = page();
        Document main = strict(page);
        assertThat(main.getElementsByTagName("script").getLength()).isZero();
        assertThat(main.getElementsByTagName("pre").item(0).getTextContent()).isEqualTo("<\uFFFD&z");
        assertThat(main.getElementsByTagName("pre").item(1).getTextContent())
                .startsWith("</pre></pre></main><script>alert('x')");
        assertThat(page).doesNotContain("<script>alert", "\u202E", "\u0000").containsOnlyOnce("<script>");
    }

    @Test
    void whatNoPageMayHoldIsReplaced() {
        assertThat(Html.escape("a\uD800b\u0007c\uFFFEd\u2066e\r\n\uD83D\uDE00"))
                .isEqualTo("a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\n\uD83D\uDE00");
    }

    @Test
    void thePageIsOneFileAndSaysSoToTheBrowser() throws Exception {
        record(RunStatus.FINISHED, new Verdict(true, 1.6784, 1.69, "passed"), null, null);
        events(List.of(step(1, 4.3), step(2, 4.2)));
        String page = page();
        assertThat(page)
                .doesNotContainPattern("<[^>]*\\b(src|href|srcset|action)=")
                .doesNotContain("@import", "url(", "<link", "fetch(");
        String script = page.substring(page.indexOf("<script>") + 8, page.indexOf("</script>"));
        String digest = Base64.getEncoder()
                .encodeToString(MessageDigest.getInstance("SHA-256").digest(script.getBytes(StandardCharsets.UTF_8)));
        assertThat(page).contains("default-src 'none'", "script-src 'sha256-" + digest + "'");
    }

    @Test
    void headlineTilesAndReferenceSayWhatCameOut() throws Exception {
        record(RunStatus.FINISHED, new Verdict(true, 1.6784, 1.69, "passed: 1.6784 ≤ 1.69"), "try 7", null);
        events(List.of(step(1, 4.3), step(2, 4.2)));
        String text = strict(page()).getDocumentElement().getTextContent();
        assertThat(text)
                .contains(
                        "✓ passed: 1.6784 ≤ 1.69",
                        "reference 1.68: the <original> code",
                        "expected ≤ 1.69",
                        "Note: try 7")
                .contains(
                        "$0.90",
                        "at $36.00 an hour",
                        "1 min 30 s",
                        "(2 attempts)",
                        "abc123 with uncommitted changes",
                        "f00d");
    }

    @Test
    void severalProcessesAreNamedWithTheirThreads() throws Exception {
        Path preset = folder.resolve("preset.yaml");
        Files.writeString(preset, Files.readString(preset).replace("microBatch: 1}", "microBatch: 1, threads: 1}"));
        record(RunStatus.FINISHED, null, null, null);
        events(List.of(new TrainingEvent.Started(NOON, 0, 9, 1, 1, 4, "cpu", 0, null), step(1, 4)));
        assertThat(strict(page()).getDocumentElement().getTextContent()).contains("Processes4 of 1 thread\n");
    }

    @Test
    void aHundredThousandStepsMakeASmallPage() throws Exception {
        record(RunStatus.FINISHED, new Verdict(null, 1.7, null, "val loss 1.7"), null, null);
        SplittableRandom random = new SplittableRandom(5);
        events(IntStream.rangeClosed(1, 100_000)
                .mapToObj(i -> step(i, 2 + random.nextDouble()))
                .toList());
        assertThat(page().length()).isLessThan(200_000);
    }

    @Test
    void aRunThatHasHardlyBegunHasAPageToo() throws Exception {
        record(RunStatus.RUNNING, null, null, null);
        assertThat(strict(page()).getDocumentElement().getTextContent()).contains("● running");
    }

    @Test
    void chartsWithoutPointsAreLeftOutAndALineSaysWhy() throws Exception {
        record(RunStatus.FAILED, null, null, "no memory");
        events(List.of(new TrainingEvent.Failed(NOON, 0, "no memory", true)));
        Document none = strict(page());
        assertThat(none.getElementsByTagName("figure").getLength()).isZero();
        assertThat(none.getDocumentElement().getTextContent())
                .contains("No chart of loss, learning rate, gradient norm, throughput: no step of training was done.");

        events(List.of(step(1, Double.NaN)));
        Document some = strict(page());
        assertThat(some.getElementsByTagName("figure").getLength()).isEqualTo(2);
        assertThat(some.getDocumentElement().getTextContent())
                .contains("No chart of loss, throughput: too little was recorded.");

        events(List.of(step(1, 4.3), step(2, 4.2)));
        assertThat(page()).contains("<figcaption><b>Throughput</b>").doesNotContain("No chart of");
    }

    @Test
    void aFailedRunSaysWhy() throws Exception {
        record(RunStatus.FAILED, null, null, "disk full at <x>");
        events(List.of(
                step(1, Double.NaN),
                new TrainingEvent.Skipped(NOON, 1, Double.NaN, 1, "loss is NaN"),
                new TrainingEvent.Failed(NOON, 1, "disk full", true)));
        assertThat(strict(page()).getDocumentElement().getTextContent())
                .contains(
                        "✗ failed: disk full at <x>",
                        "step without update: loss is NaN",
                        "an attempt failed: disk full");
    }

    @Test
    void whatFailedBeforeItWentOnIsToldToo() throws Exception {
        record(RunStatus.FINISHED, new Verdict(true, 1.6, 1.69, "passed"), null, null);
        TrainingEvent.Started again = new TrainingEvent.Started(NOON.plusSeconds(9), 0, 9, 1, 1, 1, "cpu", 0, null);
        events(List.of(
                new TrainingEvent.Started(NOON, 0, 9, 1, 1, 1, "cpu", 0, null),
                new TrainingEvent.Failed(NOON, 0, "disk full", true),
                new TrainingEvent.Failed(NOON, 0, "disk gone", true),
                again,
                step(1, 4)));
        assertThat(strict(page()).getDocumentElement().getTextContent())
                .contains("an attempt failed: disk full", "an attempt failed: disk gone");
        assertThat(RunHistory.read(folder.resolve("events.jsonl")).failed()).isEmpty();
    }

    @Test
    void aRunThatMovedTellsOfBothMachines() throws Exception {
        record(RunStatus.FINISHED, new Verdict(true, 1.6, 1.69, "passed"), null, null);
        Path file = folder.resolve("run.json");
        RunRecord moved = RunJson.MAPPER
                .readValue(file.toFile(), RunRecord.class)
                .trainingIn(machine("old box", "cpu of then", "0ld"), 0, NOON)
                .trainingIn(machine("new box", "cpu of now", "ne3"), 1500, NOON);
        Files.write(file, RunJson.MAPPER.writeValueAsBytes(moved));
        events(List.of(
                new TrainingEvent.Started(NOON, 0, 9, 1, 1, 1, "lost device", 0, null),
                new TrainingEvent.Started(NOON.plusSeconds(1), 0, 9, 1, 1, 1, "device of then", 0, null),
                new TrainingEvent.Started(NOON.plusSeconds(2), 1500, 9, 1, 1, 1, "device of now", 0, "step-001500")));
        String text = strict(page()).getDocumentElement().getTextContent();
        assertThat(text)
                .contains("Devicedevice of now", "Device until step 1,500device of then")
                .contains("Processorcpu of now", "Hostnew box", "Git commitne3")
                .contains("Until step 1,500cpu of then, 4 cores, 1.00 GB memory, os, jvm, host old box, pacer 0 of 0ld")
                .contains("Launches3, resumed 2 times")
                .doesNotContain("lost device", "cpu & co");
    }

    private static Environment machine(String host, String cpu, String commit) {
        return new Environment(host, cpu, 4, 1_000_000_000, "os", "jvm", "0", commit, false);
    }

    @Test
    void tornAndUnknownLinesArePassedOverAndTheFirstTellingCounts() throws Exception {
        Files.writeString(
                folder.resolve("events.jsonl"),
                EventLog.line(step(1, 4))
                        + "\n" + EventLog.line(step(1, 5))
                        + "\n{\"event\":\"teleported\",\"step\":2}\n\n{\"event\":\"step\",\"st");
        assertThat(RunHistory.read(folder.resolve("events.jsonl")).steps())
                .singleElement()
                .satisfies(s -> assertThat(s.loss()).isEqualTo(4));
    }
}
