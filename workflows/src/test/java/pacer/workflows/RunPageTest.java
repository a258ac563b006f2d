package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import pacer.activities.run.Progress;
import pacer.activities.run.RunPlan;
import pacer.activities.run.Stage;
import pacer.trainer.spec.Presets;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.workflows.PipelineProgress.StageLine;

/** What a run's page in the Temporal UI says. */
class RunPageTest {
    private static final RunSpec QUICKSTART = Presets.named("quickstart").spec();

    private static RunPlan plan(double dollarsPerHour) {
        RunPlan.Page page = new RunPlan.Page(true, Map.of(), "", null, dollarsPerHour);
        return new RunPlan(
                "quickstart-1",
                "quickstart",
                "",
                "hash",
                "4 layers, 128 wide",
                2000,
                QUICKSTART.dataset(),
                "host",
                false,
                page,
                false,
                null,
                null);
    }

    private static Progress training(String doing) {
        return training(doing, null);
    }

    private static Progress training(String doing, Double hellaSwag) {
        return new Progress(
                Stage.TRAIN,
                Instant.EPOCH,
                0.5,
                "step 1000",
                1000,
                2000,
                1.75,
                1.8,
                hellaSwag,
                1e-3,
                64_123.4,
                3723.0,
                doing,
                null);
    }

    @Test
    void aRunIsDescribedFromTheStart() {
        String page =
                RunPage.details(SpecLoader.load("quickstart", List.of(), List.of("train.threads=2")), "try\nagain");
        assertThat(page)
                .startsWith("> try\n> again\n\n- **data**: `maven:")
                .contains("- **model**: 4 layers, 4 heads, 128 wide, context 64\n")
                .contains("- **training**: 2000 steps of 768 tokens, 1 rank of 2 threads, seed 1337\n")
                .contains("- **expected**: val loss at most 1.69\n");
        assertThat(RunPage.summary(QUICKSTART)).startsWith("quickstart: A small character-level GPT");
    }

    /** The service refuses more than 200 bytes, and half a character. */
    @Test
    void aSummaryIsCutAtWholeCharacters() {
        String cut = RunPage.cut("é🦄".repeat(100));
        assertThat(cut.getBytes(StandardCharsets.UTF_8)).hasSizeBetween(194, 200);
        assertThat("é🦄".repeat(100)).startsWith(cut);
    }

    @Test
    void theTableTellsStagesNumbersAndCost() {
        Map<String, String> links = new LinkedHashMap<>();
        links.put("MLflow run", "http://127.0.0.1:5000/#/experiments/1/runs/2");
        links.put("Grafana", "http://127.0.0.1:3000");
        String page = RunDetails.markdown(
                plan(36),
                null,
                links,
                List.of(
                        new StageLine(Stage.DATASET, "done", "1.2 million tokens", 2.0),
                        new StageLine(Stage.TRAIN, "running", null, null)),
                training("validating").after(3600),
                null,
                null);
        String gap = RunDetails.GAP;
        assertThat(page)
                .startsWith("**quickstart-1**: 4 layers, 128 wide\n\n")
                .contains("✓\u00a0done" + gap + " | 1.2 million tokens |")
                .contains("●\u00a0running" + gap + " | step 1000 |")
                .contains("| 1,000 of 2,000" + gap + " | 1.7500" + gap + " | 1.8000" + gap + " | 64,123" + gap
                        + " | 1 h 02 min" + gap + " | 36.00 USD" + gap + " | validating" + gap + " |")
                .endsWith(
                        "[MLflow run](http://127.0.0.1:5000/#/experiments/1/runs/2) · [Grafana](http://127.0.0.1:3000)\n");
    }

    @Test
    void whatWasMeasuredOfHellaSwagIsToldBesideTheValidationLoss() {
        List<StageLine> stages = List.of(new StageLine(Stage.TRAIN, "running", null, null));
        String gap = RunDetails.GAP;
        assertThat(RunDetails.markdown(plan(0), null, Map.of(), stages, training(null, 0.2955), null, null))
                .contains("| val loss" + gap + " | HellaSwag" + gap + " | tokens/s" + gap + " |")
                .contains("| 1.8000" + gap + " | 29.55%" + gap + " | 64,123" + gap + " |");
        assertThat(RunDetails.markdown(plan(0), null, Map.of(), stages, training(null), null, null))
                .doesNotContain("HellaSwag");
    }

    @Test
    void aPausedTrainingSaysSoAndNoCostIsToldWithoutAPrice() {
        String page = RunDetails.markdown(
                plan(0),
                " ",
                Map.of(),
                List.of(new StageLine(Stage.TRAIN, "running", null, null)),
                training("validating").after(60),
                new RunDetails.Pause(Instant.parse("2026-11-24T04:10:30Z"), "quickstart-1"),
                null);
        assertThat(page)
                .contains("●\u00a0paused")
                .contains("\n**paused since 2026-11-24 04:10 UTC at step 1,000.** The update `resume` goes on with it")
                .contains("`temporal workflow update execute --workflow-id quickstart-1 --name resume`")
                .doesNotContain("tokens/s", "left", "64,123", "validating")
                .doesNotContain("USD")
                .doesNotContain(">")
                .doesNotContain("[");
    }

    /** Two hyphens become a dash on the page, and what is copied from there is refused. */
    @Test
    void optionsStayAsTheyAreTyped() {
        assertThat(RunDetails.cell("a copy serves: --set dataset.url=file:PATH; or --steps N, pre--fix, `--x y`"))
                .isEqualTo("a copy serves: --set dataset.url=file:PATH; or --steps N, pre--fix, `--x y`");
        assertThat(RunDetails.cell("a copy serves: --set dataset.url=file:PATH; or --steps N, pre--fix"))
                .isEqualTo("a copy serves: `--set dataset.url=file:PATH`; or `--steps` N, pre--fix");
    }

    /** A text of others must not become a table, a link or a picture. */
    @Test
    void textOfOthersStaysText() {
        String page = RunDetails.markdown(
                plan(0),
                "why\n\n# [not](http://evil)",
                Map.of(),
                List.of(new StageLine(Stage.TRAIN, "failed", "a|b\n\n# c ![x](http://evil) <img src=y>", 1.0)),
                null,
                null,
                "failed: [see](http://evil)");
        assertThat(page)
                .contains("\n\n> why # \\[not](http://evil)\n\n")
                .contains("a\\|b # c !\\[x](http://evil) &lt;img src=y> |")
                .contains("\n**failed: \\[see](http://evil)**\n");
    }
}
