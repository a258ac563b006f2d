package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.DatasetSpec.Tokenizer;
import pacer.trainer.spec.RunSpec;

/**
 * nanoGPT's own commands, run in a copy of a checkout.
 *
 * @param home the copy
 * @param text the raw text; null to let nanoGPT fetch its own
 */
record BenchNanoGpt(Path home, Path text, BenchPython python, List<String> settings) {
    private static final String DATA = "data/shakespeare_char";
    private static final String CONFIG = "config/train_shakespeare_char.py";
    private static final Pattern LOSS = Pattern.compile("step \\d+: train loss [0-9.]+, val loss ([0-9.]+)");

    /** @param secondsToPrepare of them, tokenization */
    record Done(double seconds, double secondsToPrepare, double validationLoss, OptionalLong peakBytes) {}

    /** A copy of the checkout {@code nanoGpt} in {@code folder}, set to what {@code spec} trains. */
    static BenchNanoGpt copy(Path nanoGpt, RunSpec spec, BenchPython python, BenchFolder folder) throws IOException {
        for (String needed : List.of("train.py", "model.py", "configurator.py", CONFIG, DATA + "/prepare.py")) {
            if (!Files.isRegularFile(nanoGpt.resolve(needed))) {
                throw new Mistake("--nanogpt " + nanoGpt + ": no " + needed
                        + " in it; give a checkout of https://github.com/karpathy/nanoGPT");
            }
        }
        Path home = folder.folder("nanogpt");
        try (Stream<Path> top = Files.list(nanoGpt)) {
            for (Path file : top.filter(f -> f.toString().endsWith(".py")).toList()) {
                Files.copy(file, home.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        for (String file : List.of(CONFIG, DATA + "/prepare.py")) {
            Files.createDirectories(home.resolve(file).getParent());
            Files.copy(nanoGpt.resolve(file), home.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        return new BenchNanoGpt(home, text(spec), python, settings(spec));
    }

    private static Path text(RunSpec spec) {
        String url = spec.dataset().url();
        if (url.startsWith("file:")) {
            return Path.of(url.substring("file:".length()));
        }
        if (url.contains("tinyshakespeare")) {
            return null;
        }
        throw new Mistake(
                "nanoGPT prepares its own Shakespeare or a file; give --set dataset.url=file:PATH for " + url);
    }

    /** The README's command for CPUs with the values of {@code spec}, then whatever the spec has otherwise than nanoGPT's file. */
    private static List<String> settings(RunSpec spec) {
        require(spec.dataset().tokenizer() == Tokenizer.CHARACTERS, "dataset.tokenizer characters");
        require(spec.model().activation() == Activation.GELU_ERF, "model.activation gelu_erf");
        require(spec.model().tiedHead(), "model.tiedHead true");
        require(spec.dataset().validationFraction() == 0.1, "dataset.validationFraction 0.1");
        int length = spec.model().sequenceLength();
        int sequences = spec.train().batchTokens() / length;
        int micro = Math.min(spec.train().microBatch(), sequences);
        double rate = spec.optimizer().learningRate();
        long windows = spec.evaluation().tokens() / length;
        List<String> settings = new ArrayList<>(List.of(
                "--device=cpu",
                "--compile=False",
                "--eval_iters=" + Math.max(1, windows / micro),
                "--log_interval=1",
                "--block_size=" + length,
                "--batch_size=" + micro,
                "--n_layer=" + spec.model().layers(),
                "--n_head=" + spec.model().heads(),
                "--n_embd=" + spec.model().width(),
                "--max_iters=" + spec.train().steps(),
                "--lr_decay_iters="
                        + (spec.schedule().decaySteps() > 0
                                ? spec.schedule().decaySteps()
                                : spec.train().steps()),
                "--dropout=" + spec.model().dropout()));
        differing(settings, "gradient_accumulation_steps", 1, sequences / micro);
        differing(settings, "eval_interval", 250, spec.evaluation().everySteps());
        differing(settings, "warmup_iters", 100, spec.schedule().warmupSteps());
        differing(settings, "learning_rate", 1e-3, rate);
        differing(settings, "min_lr", 1e-4, rate * spec.schedule().floor());
        differing(settings, "beta1", 0.9, spec.optimizer().beta1());
        differing(settings, "beta2", 0.99, spec.optimizer().beta2());
        differing(settings, "weight_decay", 0.1, spec.optimizer().weightDecay());
        differing(settings, "grad_clip", 1.0, spec.train().gradientClip());
        if (spec.model().bias()) {
            settings.add("--bias=True");
        }
        return settings;
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new Mistake("nanoGPT has only " + what + "; --whole cannot compare this preset with it");
        }
    }

    private static void differing(List<String> settings, String name, int usual, int value) {
        if (value != usual) {
            settings.add("--" + name + "=" + value);
        }
    }

    private static void differing(List<String> settings, String name, double usual, double value) {
        if (Math.abs(value - usual) > 1e-12) {
            settings.add("--" + name + "=" + String.format(Locale.ROOT, "%s", value));
        }
    }

    /** Tokenizes and trains, from nothing. */
    Done run(Path log) throws IOException, InterruptedException {
        BenchFolder.delete(home.resolve("out"));
        Path data = home.resolve(DATA);
        for (String made : List.of("input.txt", "train.bin", "val.bin", "meta.pkl")) {
            Files.deleteIfExists(data.resolve(made));
        }
        if (text != null) {
            Files.copy(text, data.resolve("input.txt"));
        }
        BenchChild prepared = child("prepare.py", List.of(DATA + "/prepare.py"), log);
        List<String> train = new ArrayList<>(List.of("train.py", CONFIG, "--out_dir=out"));
        train.addAll(settings);
        BenchChild trained = child("train.py", train, log);
        return new Done(
                prepared.seconds() + trained.seconds(),
                prepared.seconds(),
                lastLoss(trained.lines()),
                trained.peakBytes());
    }

    private BenchChild child(String name, List<String> arguments, Path log) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(python.python().toString()));
        command.addAll(arguments);
        return BenchChild.run(BenchChild.in(home, command), Map.of(), log, BenchChild.Watch.MEMORY)
                .well("nanoGPT's " + name);
    }

    /** The validation loss that it printed last. */
    static double lastLoss(List<String> lines) throws IOException {
        for (String line : lines.reversed()) {
            Matcher found = LOSS.matcher(line);
            if (found.find()) {
                return Double.parseDouble(found.group(1));
            }
        }
        throw new IOException("nanoGPT's train.py printed no validation loss");
    }
}
