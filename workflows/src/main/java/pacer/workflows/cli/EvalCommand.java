package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.dataset.HellaSwagFile;
import pacer.activities.evaluation.EvaluationSettings;
import pacer.activities.evaluation.EvaluatorProcess;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Home;
import pacer.activities.run.RunIndex;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageFailure;
import pacer.trainer.event.TrainingEvent.Validated;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.DatasetSpec.Tokenizer;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecLoader.Given;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "eval",
        description =
                "Measure the validation loss of a run's checkpoint, as the run's own evaluation does, and HellaSwag.%n")
final class EvalCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "RUN",
            completionCandidates = Completions.OfRuns.class,
            defaultValue = "last",
            description = "Id, its beginning, last, or a folder of a run or of its checkpoint (default: last).")
    private String name;

    @Mixin
    private CheckpointOption checkpoint;

    @Option(names = "--data", paramLabel = "DIR", description = "Dataset folder (default: the run's).")
    private Path data;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            description = "Validation tokens measured, spread evenly; 0: all (default: as in the run's settings).")
    private Long tokens;

    @Option(
            names = "--hellaswag",
            arity = "0..1",
            fallbackValue = "10042",
            paramLabel = "N",
            description =
                    "HellaSwag's first N examples too; 0: none (default: as in the run's settings; without N: all).")
    private Integer examples;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    EvalCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        CheckpointOption.Source source = checkpoint.source(name, places, console);
        RunIndex.Entry run = source.run()
                .orElseThrow(() -> new Mistake(source.title()
                        + " is of no run, so its settings are unknown; eval measures checkpoints of runs"));
        Home home = places.home(console.environment());
        Path folder = data != null ? data : dataset(run, home);
        Path spec = Files.createTempFile("pacer-eval", ".yaml");
        Path log =
                Files.createTempFile("pacer-eval", ".log"); // nothing of the run is changed: it may be another user's
        try {
            RunSpec settings = spec(run);
            Files.writeString(spec, CanonicalYaml.write(settings));
            EvaluatorProcess evaluator =
                    new EvaluatorProcess(EvaluationSettings.of(console.environment()), home.cache(), log);
            long began = System.nanoTime();
            EvaluatorProcess.Told told = evaluator.measure(
                    spec, folder, source.folder(), hellaSwag(settings, run, home), StageContext.NOBODY, event -> {});
            tell(source, told, (System.nanoTime() - began) / 1e9);
            return Exit.OK;
        } catch (StageFailure e) {
            console.complain(e.getMessage());
            return e.retryable() ? Exit.FAILED : Exit.USAGE;
        } finally {
            Files.delete(spec);
            Files.delete(log);
        }
    }

    private Optional<EvaluatorProcess.Examples> hellaSwag(RunSpec spec, RunIndex.Entry run, Home home)
            throws IOException, InterruptedException {
        if (!spec.hellaSwag().given()) {
            return Optional.empty();
        }
        Path file = new HellaSwagFile(home.downloads(), FetchSettings.of(console.environment()), Clock.systemUTC())
                .bring(spec.hellaSwag(), run.folder(), StageContext.NOBODY);
        return Optional.of(new EvaluatorProcess.Examples(file, null));
    }

    private RunSpec spec(RunIndex.Entry run) {
        List<Given> sets = new ArrayList<>(List.of(new Given("eval", "sample.count=0")));
        if (tokens != null) {
            sets.add(new Given("--tokens", "evaluation.tokens=" + tokens));
        }
        if (examples != null) {
            requireAnyCharacter(run);
            sets.add(new Given("--hellaswag", "hellaSwag.examples=" + examples));
            sets.add(new Given("--hellaswag", "hellaSwag.everySteps=0"));
        }
        return SpecLoader.loadGiven(run.folder().preset().toAbsolutePath().toString(), List.of(), sets);
    }

    private void requireAnyCharacter(RunIndex.Entry run) {
        Tokenizer tokenizer = SpecLoader.read(run.folder().preset()).dataset().tokenizer();
        if (examples > 0 && tokenizer != Tokenizer.GPT2) {
            throw new Mistake(
                    "--hellaswag: HellaSwag asks in any characters, and the model of run %s knows those of its own text alone; measure a run whose dataset.tokenizer is gpt2, or leave --hellaswag out"
                            .formatted(run.record().id()));
        }
    }

    private static Path dataset(RunIndex.Entry run, Home home) {
        String hash = run.record()
                .stage(Stage.DATASET)
                .map(stage -> stage.resultAs(DatasetResult.class))
                .map(DatasetResult::hash)
                .orElseThrow(() -> new Mistake("run " + run.record().id() + " has no dataset yet; give --data DIR"));
        Path staged = home.staged().resolve(hash);
        return Files.isDirectory(staged) ? staged : home.datasets().resolve(hash);
    }

    private static String perplexity(double loss) {
        return String.format(Locale.ROOT, loss < 14 ? "%.3f" : "%.3e", Math.exp(loss));
    }

    private void tell(CheckpointOption.Source source, EvaluatorProcess.Told all, double seconds) {
        Validated measured = all.measured();
        if (output.json()) {
            SequencedMap<String, Object> told = new LinkedHashMap<>();
            told.put("checkpoint", source.folder().toString());
            told.put("step", measured.step());
            told.put("validationLoss", measured.loss());
            told.put("perplexity", Math.exp(measured.loss()));
            told.put("tokens", measured.tokens());
            all.hellaSwag().ifPresent(asked -> {
                told.put("hellaSwag", asked.accuracy());
                told.put("hellaSwagExamples", asked.examples());
            });
            told.put("seconds", seconds);
            console.json(told);
        } else {
            Terminal out = console.out();
            out.println(out.paint(Tone.QUIET, Terminal.harmless(source.title())));
            out.println("val loss %s nats a token, perplexity %s, over %s tokens in %s"
                    .formatted(
                            out.paint(Tone.STRONG, Quantities.loss(measured.loss())),
                            perplexity(measured.loss()),
                            Quantities.grouped(measured.tokens()),
                            Quantities.duration(seconds)));
            all.hellaSwag()
                    .ifPresent(asked -> out.println("HellaSwag %s, %s of %s endings chosen rightly"
                            .formatted(
                                    out.paint(Tone.STRONG, "%.2f%%".formatted(100 * asked.accuracy())),
                                    Quantities.grouped(asked.right()),
                                    Quantities.grouped(asked.examples()))));
        }
    }
}
