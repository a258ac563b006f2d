package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunLease;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.SpecLoader;

/** The commands on a tiny run that one of them makes, with real trainer processes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PacerTest {
    @TempDir
    private static Path folder;

    private String run;

    private record Result(int code, String out, String err) {

        JsonNode json() throws IOException {
            return RunJson.MAPPER.readTree(out);
        }
    }

    private static Result pacer(String... arguments) {
        Screen screen = new Screen();
        Map<String, String> environment = Map.of(
                "PACER_RUNS", folder.resolve("runs").toString(),
                "PACER_CACHE", folder.resolve("cache").toString(),
                "PACER_COMMAND", "./pacer");
        int code = Pacer.run(arguments, screen.console(environment));
        return new Result(code, screen.raw(), screen.errors());
    }

    private static Result pacer(List<String> some, String... more) {
        List<String> all = new ArrayList<>(some);
        all.addAll(List.of(more));
        return pacer(all.toArray(String[]::new));
    }

    private static List<String> tiny(String command) throws IOException {
        Path text = folder.resolve("text.txt");
        Files.writeString(text, "the quick brown fox jumps over the lazy dog\n".repeat(200));
        Path preset = folder.resolve("tiny.yaml");
        Files.writeString(preset, """
                name: tiny
                description: for tests
                dataset: {url: 'file:%s', tokenizer: characters}
                model: {layers: 1, heads: 2, width: 16, sequenceLength: 8, bias: false}
                train: {steps: 12, batchTokens: 32, microBatch: 4, threads: 1}
                optimizer: {learningRate: 1e-2}
                evaluation: {everySteps: 4, tokens: 160}
                sample: {count: 1, tokens: 16}
                checkpoint: {everySteps: 4}
                expectation: {validationLoss: 9, referenceLoss: 1.5, source: nobody}
                """.formatted(text));
        return List.of(command, preset.toString());
    }

    @BeforeAll
    void makeARun() throws IOException {
        Result made = pacer(tiny("run"), "--note", "first", "-o", "json");
        assertThat(made.code()).as(made.out() + made.err()).isZero();
        run = made.json().path("run").path("id").asText();
        assertThat(made.json().path("run").path("verdict").path("passed").asBoolean())
                .isTrue();
    }

    private RunRecord record(String id) throws IOException {
        return RunJson.MAPPER.readValue(
                folder.resolve("runs/" + id + "/run.json").toFile(), RunRecord.class);
    }

    @Test
    void aRunIsListedReportedAndFinished() throws Exception {
        assertThat(record(run).status()).isEqualTo(RunStatus.FINISHED);
        assertThat(folder.resolve("runs").resolve(run).resolve("report.html")).isNotEmptyFile();
        assertThat(pacer("runs").out()).contains("✓  " + run, "finished", "first");
        assertThat(pacer("runs", "-o", "json").json().findValuesAsText("id")).contains(run);
        Result report = pacer("report", run, "-o", "json");
        assertThat(Path.of(report.json().path("report").asText())).isNotEmptyFile();
    }

    @Test
    void runsThatDidNotFinishSayWhy() throws Exception {
        Path failed = cutOff("failed-1", "\"failed\"", "\"the disk is full\"");
        Path interrupted = cutOff("interrupted-1", "\"running\"", "null");
        Files.writeString(
                interrupted.resolve("events.jsonl"),
                EventLog.line(new TrainingEvent.Failed(Instant.EPOCH, 3, "the loss is not finite", true)) + "\n");
        List<String> lines = pacer("runs").out().lines().toList();
        Files.delete(failed.resolve("run.json")); // other tests mean the last run there is
        Files.delete(interrupted.resolve("run.json"));
        assertThat(lines).anyMatch(l -> l.contains("failed-1") && l.contains("first; the disk is full"));
        assertThat(lines)
                .anyMatch(l -> l.contains("interrupted-1 ")
                        && l.contains(" interrupted ")
                        && l.contains("the loss is not finite"));
    }

    /** A copy of the run's record as it would be had it ended otherwise. */
    private Path cutOff(String id, String status, String failure) throws IOException {
        Path copy = Files.createDirectories(folder.resolve("runs/" + id));
        String record = Files.readString(folder.resolve("runs/" + run + "/run.json"))
                .replaceFirst("\"id\" : \"[^\"]*\"", "\"id\" : \"" + id + "\"")
                .replaceFirst("\"status\" : \"finished\"", "\"status\" : " + status + ", \"failure\" : " + failure);
        Files.writeString(copy.resolve("run.json"), record);
        return copy;
    }

    @Test
    void aFinishedRunIsNotResumed() {
        Result result = pacer("resume", run);
        assertThat(result.code()).isEqualTo(Exit.USAGE);
        assertThat(result.err())
                .isEqualTo("pacer: run " + run
                        + " is finished; --steps N trains it further; a new one of its settings: ./pacer run "
                        + folder.resolve("runs/" + run + "/preset.yaml") + " --new\n");
    }

    @Test
    void withoutANameTheNewestUnfinishedRunIsResumed() throws Exception {
        Path runs = folder.resolve("to-resume");
        Files.createDirectories(runs.resolve(run));
        Files.copy(folder.resolve("runs/" + run + "/run.json"), runs.resolve(run + "/run.json"));
        Result none = pacer("resume", "--runs", runs.toString());
        assertThat(none.code()).isEqualTo(Exit.USAGE);
        assertThat(none.err())
                .isEqualTo("pacer: no run in " + runs + " waits to be gone on with; all of them: ./pacer runs --runs "
                        + runs + "\n");

        Result stopped = pacer(tiny("train"), "--runs", runs.toString());
        assertThat(stopped.code()).as(stopped.err()).isZero();
        Result resumed = pacer("resume", "--runs", runs.toString());
        assertThat(resumed.code()).as(resumed.err()).isZero();
        assertThat(resumed.out()).contains("goes on where it stopped");
    }

    @Test
    void aRunThatWaitsInAServiceIsLeftToItUnlessItIsNamed() throws Exception {
        Path runs = folder.resolve("waiting");
        Path waiting = Files.createDirectories(runs.resolve("waits-1"));
        Files.move(cutOff("waits-1", "\"running\"", "null").resolve("run.json"), waiting.resolve("run.json"));
        Files.writeString(waiting.resolve(".lease-owner"), "the execution of a workflow");

        Result none = pacer("resume", "--runs", runs.toString());
        assertThat(none.code()).isEqualTo(Exit.USAGE);
        assertThat(none.err())
                .contains("waits-1 waits in a Temporal service (here all the same: ./pacer resume waits-1 --runs ");
        Result beside = pacer(tiny("train"), "--runs", runs.toString());
        assertThat(beside.code()).as(beside.err()).isZero();
        assertThat(beside.out()).contains("! run waits-1 of the same settings");
        assertThat(new RunIndex(runs).list()).hasSize(2);
    }

    @Test
    void aRunBesideAnEqualOneAtWorkSaysSo() throws Exception {
        Path runs = folder.resolve("busy");
        Path busy = Files.createDirectories(runs.resolve("busy-1"));
        Files.move(cutOff("busy-1", "\"running\"", "null").resolve("run.json"), busy.resolve("run.json"));
        try (RunLease _ = new RunFolder(busy).tryLease().orElseThrow()) {
            for (String command : List.of("run", "train")) {
                Result beside = pacer(tiny(command), "--runs", runs.toString());
                assertThat(beside.code()).as(beside.err()).isZero();
                assertThat(beside.out())
                        .contains("! run busy-1 of the same settings is being worked on by another process");
                Result fresh = pacer(tiny(command), "--runs", runs.toString(), "--new");
                assertThat(fresh.out()).doesNotContain("busy-1");
            }
        }
    }

    @Test
    void theTextOfARunIsTheSameForTheSameSeed() throws Exception {
        String[] command = {"sample", run, "--prompt", "the ", "--tokens", "12", "--seed", "5", "-o", "json", "-n", "2"
        };
        JsonNode once = pacer(command).json();
        assertThat(once).isEqualTo(pacer(command).json());
        assertThat(once.path("texts")).hasSize(2);
        assertThat(once.path("texts").get(0).asText())
                .hasSize(12)
                .isNotEqualTo(once.path("texts").get(1).asText());
    }

    @Test
    void sampledTextComesWithTheSettingsThatMadeIt() throws Exception {
        JsonNode told = pacer("sample", run, "--tokens", "3", "--temperature", "0.5", "-o", "json")
                .json();
        assertThat(told.path("run").asText()).isEqualTo(run);
        assertThat(told.path("checkpoint").asText()).endsWith("/checkpoints/step-000012");
        assertThat(told.path("step").asInt()).isEqualTo(12);
        assertThat(told.path("prompt").asText()).isEqualTo("\n");
        assertThat(told.path("tokens").asInt()).isEqualTo(3);
        assertThat(told.path("temperature").asDouble()).isEqualTo(0.5);
        assertThat(told.path("topK").asInt()).isEqualTo(200);
        assertThat(told.path("seed").asInt()).isEqualTo(1337);
        assertThat(told.path("texts")).hasSize(1);
    }

    @Test
    void aPromptCanComeFromAFile() throws Exception {
        Path prompt = Files.writeString(folder.resolve("prompt.txt"), "the lazy");
        Result result = pacer("sample", run, "--prompt", "FILE:" + prompt, "--tokens", "3");
        assertThat(result.out()).startsWith("the lazy").hasSizeGreaterThan("the lazy".length() + 2);
        Result missing = pacer("sample", run, "--prompt", "FILE:" + prompt + "x");
        assertThat(missing.code()).isEqualTo(Exit.USAGE);
        String file = prompt + "x";
        assertThat(missing.err()).isEqualTo("pacer: --prompt FILE:" + file + ": " + file + ": no such file\n");
        Files.writeString(prompt, "");
        Result empty = pacer("sample", run, "--prompt", "FILE:" + prompt);
        assertThat(empty.code()).isEqualTo(Exit.USAGE);
        assertThat(empty.err()).contains("the file is empty").hasLineCount(1);
    }

    @Test
    void badWishesForSamplesAreOneLine() {
        for (List<String> wish : List.of(
                List.of("--temperature", "-1"),
                List.of("--top-k", "-1"),
                List.of("--tokens", "0"),
                List.of("--prompt", ""),
                List.of("--prompt", "日本"),
                List.of("--checkpoint", "7"),
                List.of("--threads", "0"),
                List.of("--threads", "-3"))) {
            Result result = pacer(List.of("sample", run), wish.toArray(String[]::new));
            assertThat(result.code()).as("%s: %s", wish, result).isEqualTo(Exit.USAGE);
            assertThat(result.err().lines()).as("%s", wish).hasSize(1);
            assertThat(result.out()).as("%s", wish).isEmpty();
        }
    }

    @Test
    void theLastRunIsTheLastWithACheckpointWhereOneIsNeeded() throws Exception {
        Path newer = cutOff("newer-1", "\"failed\"", "\"no disk\"");
        Path record = newer.resolve("run.json");
        Files.writeString(record, Files.readString(record).replaceFirst("\"created\" : \"2", "\"created\" : \"3"));
        Result sample = pacer("sample", "--tokens", "3");
        Result eval = pacer("eval", "-o", "json");
        Files.delete(record);
        assertThat(sample.code()).as(sample.err()).isZero();
        assertThat(sample.err())
                .startsWith("pacer: run newer-1 has no checkpoint; taking the newest that has one, ")
                .containsPattern("pacer: taking run tiny-[0-9-]+, step 12\n$");
        assertThat(eval.code()).as(eval.err()).isZero();
    }

    @Test
    void aDamagedCheckpointIsLeftOutForTheOneBefore() throws Exception {
        Path source = folder.resolve("runs/" + run);
        Path copy = cutOff("damaged-1", "\"finished\"", "null");
        Files.copy(source.resolve("preset.yaml"), copy.resolve("preset.yaml"));
        List<Path> checkpoints;
        try (Stream<Path> all = Files.list(source.resolve("checkpoints"))) {
            checkpoints = all.sorted().toList();
        }
        for (Path checkpoint : checkpoints) {
            Path to = Files.createDirectories(
                    copy.resolve("checkpoints").resolve(checkpoint.getFileName().toString()));
            try (Stream<Path> files = Files.list(checkpoint)) {
                for (Path file : files.toList()) {
                    Files.copy(file, to.resolve(file.getFileName().toString()));
                }
            }
        }
        assertThat(checkpoints).hasSizeGreaterThan(1);
        String newest = checkpoints.getLast().getFileName().toString();
        Files.write(copy.resolve("checkpoints/" + newest + "/model.safetensors"), new byte[] {1, 2, 3});
        for (String which : List.of("best", "last")) {
            for (String command : List.of("sample", "eval")) {
                Result result = pacer(command, "damaged-1", "--checkpoint", which, "--tokens", "80");
                assertThat(result.code())
                        .as("%s %s: %s", command, which, result.err())
                        .isZero();
                assertThat(result.err()).contains("left out a damaged checkpoint", newest, "pacer: taking step-");
                assertThat(result.err().lines()).hasSize(2);
            }
        }
        for (Path checkpoint : checkpoints) {
            Files.write(
                    copy.resolve("checkpoints/" + checkpoint.getFileName() + "/model.safetensors"),
                    new byte[] {1, 2, 3});
        }
        Result none = pacer("sample", "damaged-1");
        Files.delete(copy.resolve("run.json"));
        assertThat(none.code()).isEqualTo(Exit.USAGE);
        assertThat(none.err()).contains("has no whole checkpoint 'best'");
    }

    @Test
    void whatIsPrintedToGoOnWithCanBePasted() throws Exception {
        List<String> call = new ArrayList<>(tiny("run"));
        Path config = Files.writeString(folder.resolve("my settings.yaml"), "sample: {tokens: 5}\n");
        Path elsewhere = folder.resolve("else where");
        call.addAll(List.of("--config", config.toString(), "--set", "optimizer.learningRate=2e-3"));
        call.addAll(List.of("--runs", elsewhere.toString(), "--temporal", "embedded"));
        Result made = pacer(call.toArray(String[]::new));
        assertThat(made.code()).as(made.err()).isZero();
        String places = " --runs '" + elsewhere + "'";
        List<String> hints = made.out()
                .lines()
                .dropWhile(l -> !l.equals("Go on with"))
                .skip(1)
                .toList();
        assertThat(hints).hasSize(2);
        assertThat(hints.getFirst()).startsWith("  ./pacer sample tiny-").endsWith(places);
        assertThat(hints.getLast())
                .isEqualTo("  ./pacer run " + call.get(1) + " --config '" + config
                        + "' --set optimizer.learningRate=4e-3 --temporal embedded" + places);
        String id = hints.getFirst().strip().split(" ", -1)[2];
        Result resumed = pacer("resume", elsewhere.resolve(id).toString());
        assertThat(resumed.code()).isEqualTo(Exit.USAGE);
        assertThat(resumed.err()).contains("is not in the folder of runs", "add" + places);
        assertThat(pacer("sample", elsewhere.toString()).err()).contains("neither a run's folder");
    }

    @Test
    void placesThatWillNotDoAreNamedWithWhatToDo() throws Exception {
        String file = Files.writeString(folder.resolve("a-file"), "").toString();
        String none = folder.resolve("nowhere").toString();
        for (String place : List.of(file, file + "/below", "/proc/pacer")) {
            for (String command : List.of("run", "train")) {
                Result result = pacer(tiny(command), "--runs", place);
                assertThat(result.code()).as(result.err()).isEqualTo(Exit.USAGE);
                assertThat(result.err())
                        .contains("folder of runs", "name another with --runs DIR")
                        .hasLineCount(1);
            }
        }
        assertThat(pacer(tiny("run"), "--cache", file).err()).contains("name another with --cache DIR");
        for (String command : List.of("runs", "sample", "report")) {
            Result result = pacer(command, "--runs", none);
            assertThat(result.code()).isEqualTo(Exit.USAGE);
            assertThat(result.err())
                    .isEqualTo("pacer: --runs " + none
                            + ": no such folder; give the folder that holds the runs' folders\n");
        }
        assertThat(pacer("report", none).err()).isEqualTo("pacer: " + none + ": no such folder\n");
    }

    @Test
    void aRunWhoseLeaseCannotBeTakenIsPassedOver() throws Exception {
        Path other = cutOff("other-1", "\"running\"", "null");
        Files.createDirectories(other.resolve(".lease")); // as unusable as another user's
        Result listed = pacer("runs");
        Result made = pacer(tiny("run"));
        Files.delete(other.resolve("run.json"));
        assertThat(listed.code()).as(listed.err()).isZero();
        assertThat(made.code()).as(made.err()).isZero();
    }

    @Test
    void anAddressThatIsNoneIsOneLine() throws Exception {
        for (String command : List.of("run", "doctor")) {
            Result result = pacer(command, "--temporal", "nonsense:99999");
            assertThat(result.code()).isEqualTo(Exit.USAGE);
            assertThat(result.err()).contains("must be HOST:PORT").hasLineCount(1);
        }
    }

    @Test
    void evaluatingARunGivesWhatItsOwnEvaluationGave() throws Exception {
        JsonNode measured = pacer("eval", run, "-o", "json").json();
        assertThat(measured.path("validationLoss").asDouble())
                .isEqualTo(record(run).verdict().validationLoss());
        assertThat(measured.path("tokens").asLong()).isEqualTo(160);
        assertThat(pacer("eval", run, "--tokens", "80", "-o", "json")
                        .json()
                        .path("tokens")
                        .asLong())
                .isEqualTo(80);
    }

    @Test
    void aModelOfCharactersIsNotAskedHellaSwag() {
        Result refused = pacer("eval", run, "--hellaswag");
        assertThat(refused.code()).isEqualTo(Exit.USAGE);
        assertThat(refused.err())
                .isEqualTo(
                        "pacer: --hellaswag: HellaSwag asks in any characters, and the model of run %s knows those of its own text alone; measure a run whose dataset.tokenizer is gpt2, or leave --hellaswag out%n"
                                .formatted(run));
        assertThat(pacer("eval", run, "--tokens", "-1").err())
                .startsWith("pacer: --tokens evaluation.tokens=-1: -1, must be");
    }

    @Test
    void trainingWithoutAWorkflowTakesTheSameStepsAndCanBeFinishedLater() throws Exception {
        Result trained = pacer(tiny("train"), "--new", "-o", "json");
        assertThat(trained.code()).as(trained.err()).isZero();
        String id = trained.json().path("run").path("id").asText();
        Result compared = pacer("compare", run, id, "-o", "json");
        assertThat(compared.json().path("bestValidationLoss").get(0))
                .isEqualTo(compared.json().path("bestValidationLoss").get(1));
        assertThat(compared.json().path("steps").get(1).asInt()).isEqualTo(12);
        assertThat(compared.json().path("settings")).isEmpty();
        assertThat(pacer("resume", id).code()).isZero();
        assertThat(record(id).status()).isEqualTo(RunStatus.FINISHED);
        assertThat(record(id).verdict().validationLoss())
                .isEqualTo(record(run).verdict().validationLoss());
    }

    @Test
    void aMissedExpectationHasItsOwnExitCode() throws Exception {
        Result missed = pacer(tiny("run"), "--new", "--set", "expectation.validationLoss=0.01");
        assertThat(missed.code()).as(missed.err()).isEqualTo(Exit.MISSED);
        assertThat(missed.out()).contains("✗ missed", "✓ Dataset", "there already", "report", "./pacer sample", "│");
    }

    @Test
    void aTextThatCannotBeUsedIsBadInputAndNotToBeGoneOnWith() throws Exception {
        Path bytes = Files.write(folder.resolve("bytes"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
        Path empty = Files.writeString(folder.resolve("empty"), "");
        String runs = folder.resolve("refused").toString();
        for (Path text : List.of(folder.resolve("nowhere"), folder, empty)) {
            for (String command : List.of("run", "train")) {
                Result refused = pacer(tiny(command), "--runs", runs, "--set", "dataset.url=file:" + text);
                assertThat(refused.code()).as("%s: %s", text, refused).isEqualTo(Exit.USAGE);
                assertThat(refused.err()).contains("dataset.url: " + text, "give the path of a text");
            }
        }
        assertThat(folder.resolve("refused")).as("nothing was begun").isEmptyDirectory();
        Result run = pacer(tiny("run"), "--runs", runs, "--set", "dataset.url=file:" + bytes);
        assertThat(run.code()).as(run.toString()).isEqualTo(Exit.USAGE);
        assertThat(run.out()).contains(bytes.toString()).doesNotContain("resume");
        Result again = pacer("resume", "--runs", runs);
        assertThat(again.code()).as(again.toString()).isEqualTo(Exit.USAGE);
        Result train = pacer(tiny("train"), "--runs", runs, "--new", "--set", "dataset.url=file:" + bytes);
        assertThat(train.code()).as(train.toString()).isEqualTo(Exit.USAGE);
        assertThat(train.out()).doesNotContain("resume");
    }

    @Test
    void settingsThatAreWrongAreAllSaidBeforeAnythingStarts() throws Exception {
        Result wrong = pacer(tiny("run"), "--set", "train.stepz=5", "--set", "model.layers=0");
        assertThat(wrong.code()).isEqualTo(Exit.USAGE);
        assertThat(wrong.err()).contains("train.stepz", "model.layers").doesNotContain("\tat ", "Exception");
        assertThat(pacer("run", "quickstrat").err()).contains("quickstrat", "quickstart");
    }

    @Test
    void wrongWordsAreUsageErrorsWithoutTraces() {
        for (String[] words : new String[][] {
            {},
            {"rnus"},
            {"--frobnicate"},
            {"runs", "--al"},
            {"compare", "x"},
            {"report", "nope"},
            {"runs", "-o", "xml"},
            {"parity"},
            {"parity", folder.resolve("nothing").toString()},
            {"resume", "nope"},
            {"eval", "nope"}
        }) {
            Result result = pacer(words);
            assertThat(result.code()).as("%s: %s", List.of(words), result).isEqualTo(Exit.USAGE);
            assertThat(result.err()).as("%s", List.of(words)).doesNotContain("\tat ");
        }
        assertThat(pacer("--debug", "report", "nope").err()).contains("\tat ");
    }

    @Test
    void slipsAreMetWithWhatWasMeant() throws Exception {
        assertThat(pacer("rnu").err()).contains("no command rnu; did you mean run?");
        assertThat(pacer("help", "runs").out())
                .isEqualTo(pacer("runs", "--help").out());
        assertThat(pacer("help").code()).isZero();
        assertThat(pacer("run", "--seed", "3").err()).contains("A setting is given as --set seed=3\n");
        assertThat(pacer("train", "--learning-rate=1e-3").err()).contains("--set optimizer.learningRate=1e-3");
        assertThat(pacer("runs", "--seed", "3").err()).doesNotContain("--set");
        assertThat(pacer("sample", run, "--device", "gpu").err())
                .contains("expected one of cpu, reference but was 'gpu'");
        Path some = Files.writeString(folder.resolve("some.yaml"), "train: {steps: 7}\n");
        Result partial = pacer("run", some.toString());
        assertThat(partial.code()).isEqualTo(Exit.USAGE);
        assertThat(partial.err()).contains("to put them over a preset's, give --config " + some);
    }

    @Test
    void everyCommandExplainsItself() {
        assertThat(pacer("--help").out()).contains("Exit codes:").contains(Commands.NAMES);
        for (String name : Commands.NAMES) {
            Result help = pacer(name, "--help");
            assertThat(help.code()).as(name).isZero();
            assertThat(help.out()).as(name).startsWith("Usage: pacer " + name).contains("--debug");
            assertThat(help.out().lines()).as(name).allSatisfy(line -> assertThat(line.length())
                    .isLessThanOrEqualTo(80));
        }
    }

    @Test
    void presetsAreListedAndShown() throws Exception {
        assertThat(pacer("presets").out()).contains("quickstart", "806k", "≤ 1.69");
        assertThat(pacer("presets", "quickstart").out()).contains("  steps: 2000", "nanoGPT");
        assertThat(pacer("presets", "-o", "json").json().findValuesAsText("name"))
                .contains("quickstart");
        assertThat(pacer("presets", "nope").code()).isEqualTo(Exit.USAGE);
    }

    @Test
    void aPlanSaysWhatFitsAndWhatWould() throws Exception {
        Result fits = pacer("plan", "speedrun-18", "--gpus", "8", "--memory", "80GB");
        assertThat(fits.code()).as(fits.err()).isZero();
        assertThat(fits.out())
                .contains("It fits", "optimizer state", "logits", "ZeRO-1", "Not counted: CUDA's context");
        assertThat(fits.out()).doesNotContain("CHANGE");

        Result large = pacer("plan", "speedrun-18", "--gpus", "8", "--memory", "25GB", "-o", "json");
        assertThat(large.code()).isEqualTo(Exit.FAILED);
        assertThat(large.json().path("fits").booleanValue()).isFalse();
        assertThat(large.json().at("/cheapest/settings/0").textValue()).startsWith("train.recompute=");
        assertThat(large.json().at("/cheapest/need").longValue()).isLessThan(25_000_000_000L);
        long classes = 0;
        for (JsonNode each : large.json().path("classes")) {
            classes += each.path("bytes").longValue();
        }
        assertThat(large.json().path("rank0").longValue()).isEqualTo(classes);

        Result here = pacer("plan", "quickstart", "--memory", "1MB");
        assertThat(here.code()).isEqualTo(Exit.FAILED);
        assertThat(here.out()).contains("It does not fit", "CHANGE", "train.recompute=1", "counted to the byte");

        assertThat(pacer("plan", "quickstart", "--gpus", "5").err())
                .contains("must divide the 12 sequences", "1, 2, 3, 4, 6, 12");
        assertThat(pacer("plan", "quickstart", "--memory", "much").err()).contains("is no size");
        assertThat(pacer("plan", "quickstart", "--zero", "3").code()).isEqualTo(Exit.USAGE);
    }

    @Test
    void aPresetIsShownAsAFileThatRuns() throws Exception {
        for (String name : List.of("quickstart", tiny("run").getLast())) {
            Result shown = pacer("presets", name);
            assertThat(shown.code()).as(shown.err()).isZero();
            assertThat(shown.out().lines()).filteredOn(l -> l.startsWith("#")).allMatch(l -> l.length() <= 80);
            Path saved = Files.writeString(folder.resolve("saved.yaml"), shown.out());
            assertThat(SpecLoader.read(saved)).isEqualTo(SpecLoader.load(name, List.of(), List.of()));
            assertThat(pacer("presets", name, "-o", "json")
                            .json()
                            .path("settings")
                            .size())
                    .isPositive();
        }
        assertThat(pacer("presets", folder.resolve("no.yaml").toString()).code())
                .isEqualTo(Exit.USAGE);
    }

    @Test
    void theCompletionScriptKnowsAllCommands() {
        assertThat(pacer("completion").out()).startsWith("#!").contains(Commands.NAMES);
    }

    @Test
    void theDoctorFindsAServiceThatIsNotThere() throws Exception {
        Result ill = pacer("doctor", "--temporal", "127.0.0.1:1", "-o", "json");
        assertThat(ill.code()).isEqualTo(Exit.FAILED);
        assertThat(ill.json().findValuesAsText("remedy"))
                .singleElement()
                .asString()
                .contains("start the service");
        assertThat(pacer("doctor").code()).isZero();
    }
}
