package pacer.activities.publishing.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.trainer.event.TrainingEvent.Sampled;
import pacer.trainer.spec.SpecLoader;

/** Writes {@code report.html} of a run: one page that needs no network and no other file. */
public final class ReportWriter {
    /** Texts shown at most; a run of many samples keeps them all in its folder. */
    private static final int SAMPLES = 8;

    private ReportWriter() {}

    /**
     * Writes the report of the run in {@code runFolder} from what lies there; works at any time of the run.
     *
     * @return the page
     * @throws IOException naming the file, when {@code run.json} or {@code events.jsonl} cannot be read
     * @throws pacer.trainer.spec.SpecException when {@code preset.yaml} is damaged
     */
    public static Path write(Path runFolder) throws IOException {
        RunFolder folder = new RunFolder(runFolder);
        RunRecord run = folder.read();
        RunHistory history = RunHistory.read(folder.events());
        ReportData data = new ReportData(run, SpecLoader.read(folder.preset()), history, texts(folder, history));
        String page = new ReportPage(data, Frame.ofReports()).html();
        byte[] bytes = page.getBytes(StandardCharsets.UTF_8);
        folder.writeProduct(folder.report(), out -> out.write(bytes)); // others may write it at the same time
        return folder.report();
    }

    /** The final samples, from their files, and the last ones written while training. */
    private static List<ReportData.Sample> texts(RunFolder folder, RunHistory history) throws IOException {
        List<ReportData.Sample> texts = new ArrayList<>();
        for (String text : FinalSamples.read(folder, SAMPLES)) {
            texts.add(new ReportData.Sample("final sample " + (texts.size() + 1), "", text));
        }
        List<Sampled> during = history.samples();
        for (Sampled sample : during.subList(Math.max(0, during.size() - (SAMPLES - texts.size())), during.size())) {
            texts.add(new ReportData.Sample(
                    "after step " + Quantities.grouped(sample.step()), sample.prompt(), sample.text()));
        }
        return texts;
    }
}
