package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Home;
import pacer.activities.run.Stage;
import pacer.trainer.data.EvaluationLoader;
import pacer.trainer.data.Split;
import pacer.trainer.data.TokenShards;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.eval.ValidationLoss;
import pacer.trainer.model.Replica;
import pacer.trainer.text.DatasetManifest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "eval", description = "Measure a trained model's validation loss.%n")
final class EvalCommand implements Callable<Integer> {
    @Mixin
    private ModelOptions model;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Dataset folder with a manifest (default: the one that the run was trained on).")
    private Path data;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "0",
            description = "Validation tokens measured, spread evenly; 0: all (default: all).")
    private long tokens;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "8", description = "Sequences at once (default: 8).")
    private int batch;

    @Mixin
    private OutputOption output;

    private final Console console;

    EvalCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (tokens < 0 || batch < 1) {
            throw new Mistake("--tokens must be 0 or more and --batch 1 or more");
        }
        ModelOptions.Source source = model.source(console);
        Path folder = data != null ? data : dataset(source, model.home(console));
        DatasetManifest manifest = DatasetManifest.read(folder);
        try (TrainedModel trained = model.open(source, batch, console);
                TokenShards shards = TokenShards.open(
                        manifest.files(folder, Split.VALIDATION),
                        trained.replica().model().vocabulary())) {
            Replica replica = trained.replica();
            shards.requireWindow(replica.length());
            EvaluationLoader loader = new EvaluationLoader(shards, replica.length(), tokens);
            long began = System.nanoTime();
            double loss = new ValidationLoss(replica, new SoloCollectives()).measure(loader, 0, loader.windows());
            double seconds = (System.nanoTime() - began) / 1e9;
            tell(source, loss, loader.windows() * replica.length(), seconds);
        }
        return Exit.OK;
    }

    private static Path dataset(ModelOptions.Source source, Home home) {
        String hash = source.run()
                .flatMap(entry -> entry.record().stage(Stage.DATASET))
                .map(stage -> stage.resultAs(DatasetResult.class))
                .map(DatasetResult::hash)
                .orElseThrow(() -> new Mistake("--data is needed: " + source.title() + " is of no run that says its dataset"));
        Path staged = home.staged().resolve(hash);
        return Files.isDirectory(staged) ? staged : home.datasets().resolve(hash);
    }

    private void tell(ModelOptions.Source source, double loss, long measured, double seconds) {
        if (output.json()) {
            SequencedMap<String, Object> told = new LinkedHashMap<>();
            told.put("model", source.title());
            told.put("validationLoss", loss);
            told.put("perplexity", Math.exp(loss));
            told.put("tokens", measured);
            told.put("seconds", seconds);
            console.json(told);
            return;
        }
        Terminal out = console.out();
        out.println(out.paint(Tone.QUIET, Terminal.harmless(source.title())));
        out.println("val loss %s nats a token, perplexity %s, over %s tokens in %s"
                .formatted(
                        out.paint(Tone.STRONG, Quantities.loss(loss)),
                        String.format(Locale.ROOT, "%.3f", Math.exp(loss)),
                        Quantities.grouped(measured),
                        Quantities.brief(seconds)));
    }
}
