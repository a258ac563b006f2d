package pacer.workflows.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import pacer.trainer.bench.BenchCase;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.DatasetSpec.Tokenizer;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.Preset;
import pacer.trainer.spec.Presets;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;
import pacer.trainer.spec.TrainSpec;

/** What can be timed: every preset, and cases that are only for timing, by name with their tokens a sequence. */
final class BenchCases {
    static final Map<String, Integer> NAMED = Map.of("gpt2-124m-4x64", 64);

    /** Tokens of GPT-2's byte-pair encoding; Radford et al. 2019. */
    private static final int GPT2_VOCABULARY = 50257;

    /** Models above this size take seconds a step in PyTorch. */
    private static final long LARGE = 32_000_000;

    private BenchCases() {}

    /**
     * How a case is timed.
     *
     * @param length tokens a sequence; 0 takes the case's
     * @param products our library of matrix products
     * @param steps timed; 0 takes 200, of large models 10
     * @param warmupSeconds the most that warm-up may take
     */
    record Timing(int length, Gemms.Kind products, int steps, double warmupSeconds) {}

    /** The case that is called {@code name}, or a preset, with the layers over it. */
    static BenchCase find(String name, List<Path> configs, List<String> sets, Timing timing, BenchFolder folder)
            throws IOException {
        RunSpec spec = SpecLoader.load(NAMED.containsKey(name) ? unpacked(name, folder) : name, configs, sets);
        if (spec.train().ranks() != 1) {
            throw new Mistake("train.ranks is " + spec.train().ranks()
                    + "; a step is timed in one process: give --set train.ranks=1");
        }
        spec = SpecResolver.forMachine(spec, Processor.here());
        TrainSpec train = spec.train();
        int positions = spec.model().sequenceLength();
        int length = timing.length() > 0 ? timing.length() : NAMED.getOrDefault(name, positions);
        if (length > positions) {
            throw new Mistake("--length " + length + " is over the model's " + positions + " positions;"
                    + " give --set model.sequenceLength=" + length + " too");
        }
        ModelSpec model = withVocabulary(spec, name);
        int steps = timing.steps() > 0 ? timing.steps() : model.parameters() > LARGE ? 10 : 200;
        return new BenchCase(
                spec.name(),
                model,
                train.microBatch(),
                length,
                train.batchTokens() / positions / train.microBatch(),
                train.gradientClip(),
                spec.optimizer(),
                train.precision(),
                train.threads(),
                timing.products(),
                (int) spec.seed(),
                steps,
                timing.warmupSeconds());
    }

    private static String unpacked(String name, BenchFolder folder) throws IOException {
        Path file = folder.file(name + ".yaml");
        try (InputStream in = BenchCase.class.getResourceAsStream("/bench/" + name + ".yaml")) {
            Files.write(file, in.readAllBytes());
        }
        return file.toString();
    }

    /** No dataset is read: of a preset's own text its number of parameters tells the vocabulary. */
    private static ModelSpec withVocabulary(RunSpec spec, String name) {
        if (spec.model().vocabulary() > 0) {
            return spec.model();
        }
        if (spec.dataset().tokenizer() == Tokenizer.GPT2) {
            return spec.model().withVocabulary(GPT2_VOCABULARY);
        }
        if (!Presets.NAMES.contains(name)) {
            throw new Mistake("the vocabulary of " + spec.name()
                    + " is its text's, and no text is read to time a step; give it: --set model.vocabulary=65");
        }
        Preset preset = Presets.named(name);
        ModelSpec own = preset.spec().model();
        long embeddings = preset.parameters() - own.parameters();
        long perToken = (long) own.width() * (own.tiedHead() ? 1 : 2);
        return spec.model().withVocabulary(Math.toIntExact(embeddings / perToken));
    }
}
