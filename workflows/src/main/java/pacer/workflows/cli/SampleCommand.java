package pacer.workflows.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import pacer.trainer.data.BadDataException;
import pacer.trainer.eval.Sampler;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SampleSpec;
import pacer.trainer.text.TextDecoder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "sample", description = "Let a trained model write.%n")
final class SampleCommand implements Callable<Integer> {
    private static final SampleSpec STANDARD = new SampleSpec(0, 1, 300, "\n", 0.8, 200);

    @Mixin
    private ModelOptions model;

    @Option(
            names = {"-p", "--prompt"},
            paramLabel = "TEXT",
            description = "Text to continue, or FILE:PATH for a file's (default: the run's).")
    private String prompt;

    @Option(
            names = {"-n", "--number"},
            paramLabel = "N",
            defaultValue = "1",
            description = "Samples (default: 1).")
    private int number;

    @Option(names = "--tokens", paramLabel = "N", description = "New tokens a sample (default: the run's, else 300).")
    private Integer tokens;

    @Option(
            names = {"-t", "--temperature"},
            paramLabel = "X",
            description = "Divides the logits; 0 takes the likeliest token (default: the run's, else 0.8).")
    private Double temperature;

    @Option(
            names = {"-k", "--top-k"},
            paramLabel = "K",
            description = "Draw from the K likeliest tokens only; 0: from all (default: the run's, else 200).")
    private Integer topK;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1337", description = "Fixes the draws (default: 1337).")
    private long seed;

    @Mixin
    private OutputOption output;

    private final Console console;

    SampleCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        ModelOptions.Source source = model.source(console);
        SampleSpec standard = source.spec().map(RunSpec::sample).orElse(STANDARD);
        String start = prompt == null ? standard.prompt() : text(prompt);
        int count = Optional.ofNullable(tokens).orElse(standard.tokens());
        Sampler.Settings settings = new Sampler.Settings(
                Optional.ofNullable(temperature).orElse(standard.temperature()),
                Optional.ofNullable(topK).orElse(standard.topK()),
                seed);
        check(settings, count);
        try (TrainedModel trained = model.open(source, 1, console)) {
            List<String> texts = new ArrayList<>();
            Sampler sampler = new Sampler(trained.replica().forSampling());
            for (int i = 0; i < number; i++) {
                texts.add(write(trained, sampler, start, count, settings, i));
            }
            if (output.json()) {
                SequencedMap<String, Object> told = new LinkedHashMap<>();
                told.put("model", source.title());
                told.put("prompt", start);
                told.put("texts", texts);
                console.json(told);
            }
        }
        return Exit.OK;
    }

    private void check(Sampler.Settings settings, int count) {
        if (!(settings.temperature() >= 0) || settings.temperature() > 100) {
            throw new Mistake("--temperature " + settings.temperature() + " must be from 0 to 100");
        }
        if (settings.topK() < 0) {
            throw new Mistake("--top-k " + settings.topK() + " must be 0 or more; 0 draws from all tokens");
        }
        if (count < 1 || number < 1) {
            throw new Mistake("--tokens and --number must be 1 or more");
        }
    }

    /** The text of {@code FILE:path}, or {@code given} itself with {@code \n} for a line break. */
    private static String text(String given) throws IOException {
        if (given.startsWith("FILE:")) {
            return new String(Files.readAllBytes(Path.of(given.substring(5))), StandardCharsets.UTF_8);
        }
        return given.replace("\\n", "\n");
    }

    private String write(
            TrainedModel trained, Sampler sampler, String start, int count, Sampler.Settings settings, int sample) {
        int[] encoded = trained.tokenizer().encode(start);
        if (encoded.length == 0) {
            throw new BadDataException("--prompt '' has no token; give at least one character");
        }
        boolean shown = !output.json();
        Terminal out = console.out();
        if (shown && sample > 0) {
            out.println(out.paint(Tone.QUIET, "\n" + "─".repeat(40)));
        }
        if (shown) {
            out.out().print(out.paint(Tone.STRONG, Terminal.harmless(start)));
        }
        StringBuilder text = new StringBuilder();
        Consumer<String> piece = written -> {
            text.append(written);
            if (shown) {
                out.out().print(Terminal.harmless(written));
                out.out().flush();
            }
        };
        TextDecoder decoder = new TextDecoder(trained.tokenizer());
        sampler.continuing(
                encoded,
                count,
                settings,
                sample,
                trained.tokenizer().vocabularySize(),
                token -> piece.accept(decoder.next(token)));
        piece.accept(decoder.end());
        if (shown) {
            out.println("");
        }
        return text.toString();
    }
}
