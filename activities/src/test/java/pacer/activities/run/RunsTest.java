package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;

class RunsTest {
    @TempDir
    private Path folder;

    private final RunHub hub = new RunHub();
    private Home home;
    private Runs runs;
    private Path text;

    @BeforeEach
    void prepare() throws IOException {
        home = TestRuns.home(folder);
        runs = TestRuns.runs(home, hub);
        text = TestRuns.text(folder.resolve("text.txt"), 1);
    }

    private RunRequest request(String id, Object... more) {
        return new RunRequest("quickstart", TestRuns.overrides(text, more), List.of(), "a note", id);
    }

    @Test
    void writesTheResolvedSpecAndTheFirstRecord() throws Exception {
        RunPlan plan = runs.open(request(null, "train.threads", 0), "workflow");

        RunFolder run = home.run(plan.run());
        RunSpec spec = SpecLoader.read(run.preset());
        assertThat(spec.train().steps()).isEqualTo(30);
        assertThat(spec.train().threads()).isPositive();
        assertThat(run.read().note()).isEqualTo("a note");
        assertThat(run.read().status()).isEqualTo(RunStatus.RUNNING);
        assertThat(plan.dataset()).isEqualTo(spec.dataset());
        assertThat(plan.resumed()).isFalse();
    }

    @Test
    void openingTwiceForOneWorkflowGivesOneRun() throws Exception {
        RunPlan first = runs.open(request(null), "workflow");
        RunPlan second = runs.open(request(null), "workflow");

        assertThat(second.run()).isEqualTo(first.run());
        assertThat(runs.open(request(null), "another workflow").run()).isNotEqualTo(first.run());
    }

    @Test
    void aFinishedRunIsLeftAsItIsByAnotherUseOfItsWorkflowsId() throws Exception {
        String finished = runs.open(request(null), "workflow").run();
        home.run(finished).update(r -> r.ended(RunStatus.FINISHED, r.created(), null, null));
        RunRecord before = home.run(finished).read();
        List<String> told = new ArrayList<>();
        hub.followAll((_, update) -> {
            if (update instanceof RunUpdate.Notice(Stage _, String text)) {
                told.add(text);
            }
        });

        String next = runs.open(request(null), "workflow").run();

        assertThat(next).isNotEqualTo(finished);
        assertThat(home.run(finished).read()).isEqualTo(before);
        assertThat(told).singleElement().asString().contains(finished, "pacer resume " + finished + " --steps N");
        assertThat(runs.open(request(null), "workflow").run()).as("tried again").isEqualTo(next);
        assertThat(runs.open(RunRequest.goOn(finished).until(40), "workflow").run())
                .as("asked for")
                .isEqualTo(finished);
    }

    @Test
    void aRunThatIsNotHereIsNeverBegunAnewWhereItIsToBeGoneOnWith() {
        assertThatThrownBy(() -> runs.open(RunRequest.goOn("gone"), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "run gone is neither in " + home.runs()
                                + " on host host nor in a store that it knows (PACER_STORE); where its folder is: pacer resume gone; or name that host: {\"run\": \"gone\", \"host\": \"HOST\"}");
        assertThatThrownBy(() -> runs.open(request("gone").on("host"), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith("start the worker there with the folder of runs that has it: --runs");
        assertThatThrownBy(() -> runs.open(request("gone").on("other"), "workflow"))
                .isInstanceOf(StageFailure.class)
                .hasMessageStartingWith(
                        "host other, which has the folder of run gone, did not open it, and run gone is neither in ")
                .hasMessageEndingWith("start the worker of host other and resume the run");
        assertThat(home.runs()).doesNotExist();
    }

    @Test
    void goesOnWithARunByItsNameAndKeepsItsSpec() throws Exception {
        RunPlan first = runs.open(request("my-run"), "workflow");
        home.run("my-run").update(r -> r.ended(RunStatus.STOPPED, r.created(), null, "stopped"));

        RunPlan again = runs.open(RunRequest.goOn("my-run"), "later workflow");

        assertThat(again.specHash()).isEqualTo(first.specHash());
        assertThat(again.steps()).isEqualTo(30);
        RunRecord record = home.run("my-run").read();
        assertThat(record.status()).isEqualTo(RunStatus.RUNNING);
        assertThat(record.failure()).isNull();
        assertThat(record.workflowId()).isEqualTo("later workflow");
    }

    @Test
    void aRequestThatIsRefusedLeavesTheRunAsItWas() throws Exception {
        runs.open(request("my-run"), "workflow");
        RunFolder folder = home.run("my-run");
        folder.update(r -> r.ended(RunStatus.FINISHED, r.created(), null, null));
        RunRecord before = folder.read();
        String preset = Files.readString(folder.preset());

        RunRequest changed = request("my-run", "checkpoint.everySteps", 7);
        for (RunRequest refused : List.of(changed.until(-1), changed.within(new Budget(null, 5.0)))) {
            assertThatThrownBy(() -> runs.open(refused, "later workflow")).isInstanceOf(BadInputException.class);
            assertThat(folder.read()).isEqualTo(before);
            assertThat(folder.preset()).hasContent(preset);
        }
    }

    @Test
    void whatDoesNotChangeTheNumbersMayChangeWhenGoingOn() throws Exception {
        runs.open(request("my-run"), "workflow");
        runs.open(request("my-run", "checkpoint.everySteps", 7), "workflow");

        assertThat(SpecLoader.read(home.run("my-run").preset()).checkpoint().everySteps())
                .isEqualTo(7);
        assertThatThrownBy(() -> runs.open(request("my-run", "seed", 2), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("run my-run was made from another spec");
    }

    @Test
    void aRunGoesOnOverAnotherNumberOfRanksAlsoWhenItsVocabularyIsKnown() throws Exception {
        runs.open(request("my-run", "train.batchTokens", 3072), "workflow");
        RunFolder folder = home.run("my-run");
        RunSpec filled = SpecResolver.forDataset(SpecLoader.read(folder.preset()), 65);
        Files.writeString(folder.preset(), CanonicalYaml.write(filled));

        RunPlan plan =
                runs.open(request("my-run", "train.batchTokens", 3072, "train.ranks", 4, "train.hosts", 2), "workflow");
        assertThat(plan.hosts()).isEqualTo(2);
        assertThat(plan.ranksPerHost()).isEqualTo(2);
        assertThat(SpecLoader.read(folder.preset()).train().ranks()).isEqualTo(4);

        assertThatThrownBy(() -> runs.open(request("my-run", "train.batchTokens", 6144, "train.ranks", 4), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("run my-run was made from another spec");
    }

    @Test
    void settingsForARunThatIsNamedAloneLieOverItsOwnSpec() throws Exception {
        runs.open(request("my-run", "train.batchTokens", 3072), "workflow");
        RunSpec before = SpecLoader.read(home.run("my-run").preset());

        runs.open(goOn("my-run", "train.ranks=4"), "workflow");
        RunSpec after = SpecLoader.read(home.run("my-run").preset());
        assertThat(after.train().ranks()).isEqualTo(4);
        assertThat(after.train().batchTokens()).isEqualTo(3072);
        assertThat(after.dataset()).isEqualTo(before.dataset());

        assertThatThrownBy(() -> runs.open(goOn("my-run", "optimizer.learningRate=0.5"), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("run my-run was made from another spec");
        assertThat(SpecLoader.read(home.run("my-run").preset())).isEqualTo(after);
        assertThatThrownBy(() -> runs.open(goOn("no-run", "train.ranks=4"), "workflow"))
                .isInstanceOf(BadInputException.class);
    }

    private static RunRequest goOn(String run, String set) {
        return new RunRequest(null, null, null, null, run, List.of(set));
    }

    @Test
    void settingsOfTheRequestLieOverThoseOfThePreset() throws Exception {
        RunRequest request = new RunRequest(
                "quickstart",
                TestRuns.overrides(text, "seed", 5),
                List.of("train: {steps: 7}\nseed: 3\n"),
                null,
                "layers");
        runs.open(request, "workflow");

        RunSpec spec = SpecLoader.read(home.run("layers").preset());
        assertThat(spec.seed()).isEqualTo(5);
        assertThat(spec.train().steps()).isEqualTo(30);
    }

    @Test
    void aWholeSpecMayStandInPlaceOfAPreset() throws Exception {
        runs.open(request("first"), "workflow");
        String yaml = Files.readString(home.run("first").preset());

        RunPlan plan = runs.open(new RunRequest(null, Map.of(), List.of(yaml), null, "second"), "workflow 2");
        assertThat(plan.specHash()).isEqualTo(home.run("first").read().specHash());
    }

    @Test
    void everyFaultOfTheSettingsIsToldAndNoFolderMade() {
        RunRequest wrong =
                new RunRequest("quickstart", Map.of("modl.layers", 3, "train.steps", "many"), List.of(), null, null);
        assertThatThrownBy(() -> runs.open(wrong, "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("modl.layers")
                .hasMessageContaining("train.steps");
        assertThatThrownBy(() -> runs.open(new RunRequest("quikstart", null, null, null, null), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("quickstart");
        assertThatThrownBy(() -> runs.open(new RunRequest(null, null, null, null, null), "workflow"))
                .hasMessage("preset: missing; give a preset's name, {\"preset\": \"quickstart\"}");
        assertThatThrownBy(() -> runs.open(new RunRequest("/etc/hosts", null, null, null, null), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("preset: '/etc/hosts' is no preset's name");
        assertThatThrownBy(() -> runs.open(null, "workflow"))
                .hasMessage("preset: missing; give a preset's name, {\"preset\": \"quickstart\"}");
        assertThatThrownBy(() -> runs.open(request("../up"), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("run id '../up'");
        assertThat(home.runs()).doesNotExist();
    }

    /** A sequence of a million tokens: terabytes, whatever its text is. */
    @Test
    void whatNoMachineHasTheMemoryForIsRefusedBeforeThereIsAFolder() {
        RunRequest huge = request(
                null,
                "model.width",
                2048,
                "model.layers",
                16,
                "model.attention.positions",
                "rotary",
                "model.sequenceLength",
                1 << 20,
                "train.batchTokens",
                1 << 20,
                "evaluation.tokens",
                0);
        assertThatThrownBy(() -> runs.open(huge, "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContainingAll("training needs at least", "this machine has", "model.sequenceLength=");
        assertThat(home.runs()).doesNotExist();
    }

    @Test
    void whatTheWebPageSendsIsReadInItsOrder() throws Exception {
        RunRequest request = RunJson.MAPPER.readValue(
                "{\"preset\": \"quickstart\", \"run\": \"page\","
                        + " \"overrides\": {\"train.steps\": 9, \"train\": \"{steps: 8}\"}}",
                RunRequest.class);
        assertThat(runs.open(request, "workflow").steps()).isEqualTo(8);
    }

    @Test
    void aNullAmongTheOverridesIsRefusedInALine() throws Exception {
        RunRequest request = RunJson.MAPPER.readValue(
                "{\"preset\": \"quickstart\", \"overrides\": {\"train.steps\": null}}", RunRequest.class);
        assertThatThrownBy(() -> runs.open(request, "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("overrides: train.steps is null, must be a value");
        RunRequest typo = RunJson.MAPPER.readValue(
                "{\"preset\": \"quickstart\", \"overrides\": {\"train.stepz\": 9}, \"sets\": [\"seed=x\"]}",
                RunRequest.class);
        assertThatThrownBy(() -> SpecRequest.resolve(typo))
                .as("each by what gave it")
                .hasMessageContainingAll("overrides train.stepz=9: no such setting", "--set seed=x: x, must be");
    }

    @Test
    void aDamagedPresetOfARunIsNamed() throws Exception {
        runs.open(request("my-run"), "workflow");
        Files.writeString(home.run("my-run").preset(), "modl: {");

        assertThatThrownBy(() -> runs.open(RunRequest.goOn("my-run"), "workflow"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("preset.yaml");
    }

    @Test
    void closingMarksTheEndAndWritesTheReport() throws Exception {
        runs.open(request("my-run"), "workflow");
        runs.close(new RunEnding("my-run", RunStatus.FAILED, "it broke"));

        RunRecord record = home.run("my-run").read();
        assertThat(record.status()).isEqualTo(RunStatus.FAILED);
        assertThat(record.failure()).isEqualTo("it broke");
        assertThat(record.finished()).isNotNull();
        assertThat(home.run("my-run").report()).exists();
    }

    @Test
    void aReportThatCannotBeWrittenKeepsNoRunFromBeingClosed() throws Exception {
        runs.open(request("my-run"), "workflow");
        RunHub hub = new RunHub();
        List<RunUpdate> told = new ArrayList<>();
        hub.follow("my-run", told::add);
        for (Runs.Report report : List.<Runs.Report>of(
                _ -> {
                    throw new AccessDeniedException("report.html");
                },
                _ -> {
                    throw new IllegalStateException("permission denied: report.html");
                })) {
            new Runs(home, hub, Clock.systemUTC(), () -> TestRuns.MACHINE, report)
                    .close(new RunEnding("my-run", RunStatus.FAILED, "it broke"));
        }
        assertThat(home.run("my-run").read().status()).isEqualTo(RunStatus.FAILED);
        assertThat(told)
                .filteredOn(RunUpdate.Closed.class::isInstance)
                .extracting(update -> ((RunUpdate.Closed) update).record())
                .hasSize(2)
                .allMatch(record ->
                        record.status() == RunStatus.FAILED && record.failure().equals("it broke"));
        assertThat(told)
                .filteredOn(RunUpdate.Notice.class::isInstance)
                .hasSize(2)
                .containsOnly(new RunUpdate.Notice(
                        Stage.PUBLISH, "the report was not brought up to date: permission denied: report.html"));
    }

    @Test
    void theMachineIsDescribed() {
        Environment here = Machine.environment();
        assertThat(here.cores()).isPositive();
        assertThat(here.memoryBytes()).isPositive();
        assertThat(here.cpu()).isNotBlank();
        assertThat(here.pacer()).matches("\\d+\\.\\d+.*");
    }
}
