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
import pacer.trainer.eval.Sampler;
import pacer.trainer.eval.TextModel;
import pacer.trainer.model.Engine;
import pacer.trainer.spec.SampleSpec;
import pacer.trainer.spec.SpecLoader;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "sample", description = "Let a trained model write.%n")
final class SampleCommand implements Callable<Integer> {
    private static final SampleSpec STANDARD = new SampleSpec(0, 1, 300, "\n", 0.8, 200);

    @Parameters(
            arity = "0..1",
            paramLabel = "RUN",
            completionCandidates = Completions.OfRuns.class,
            defaultValue = "last",
            description = {
                "Id of a run, its beginning, last, or a folder: a run's, a checkpoint's, or one",
                "with GPT-2 in Hugging Face's files (default: last)."
            })
    private String name;

    @Mixin
    private CheckpointOption checkpoint;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private PlaceOptions places;

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
        CheckpointOption.Source source = checkpoint.source(name, places, console);
        SampleSpec standard = source.run()
                .map(run -> SpecLoader.read(run.folder().preset()).sample())
                .orElse(STANDARD);
        String start = prompt == null ? standard.prompt() : text(prompt);
        int count = Optional.ofNullable(tokens).orElse(standard.tokens());
        Sampler.Settings settings = new Sampler.Settings(
                Optional.ofNullable(temperature).orElse(standard.temperature()),
                Optional.ofNullable(topK).orElse(standard.topK()),
                seed);
        check(settings, count);
        Engine computing = engine.engine(places.home(console.environment()).cache());
        try (TextModel trained = TextModel.open(source.folder(), computing)) {
            List<String> texts = new ArrayList<>();
            try {
                for (int i = 0; i < number; i++) {
                    texts.add(write(trained, start, count, settings, i));
                }
            } catch (ClosedOutput e) {
                return Exit.OK;
            }
            if (output.json()) {
                SequencedMap<String, Object> told = new LinkedHashMap<>();
                told.put("model", source.title());
                told.put("run", source.run().map(run -> run.record().id()).orElse(null));
                told.put("checkpoint", source.folder().toString());
                told.put("step", source.step().isPresent() ? source.step().getAsInt() : null);
                told.put("prompt", start);
                told.put("tokens", count);
                told.put("temperature", settings.temperature());
                told.put("topK", settings.topK());
                told.put("seed", settings.seed());
                told.put("texts", texts);
                console.json(told);
            }
        }
        return Exit.OK;
    }

    /** Whoever read it has read enough, as head does. */
    private static final class ClosedOutput extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private void check(Sampler.Settings settings, int count) {
        if (!(settings.temperature() >= 0) || settings.temperature() > 100) {
            throw new Mistake("--temperature " + settings.temperature() + " must be from 0 to 100");
        }
        if (settings.topK() < 0) {
            throw new Mistake("--top-k " + settings.topK() + " must be 0 or more; 0 draws from all tokens");
        }
        if (prompt != null && prompt.isEmpty()) {
            throw new Mistake("--prompt '' must have at least one character; for a fresh start give --prompt '\\n'");
        }
        if (count < 1 || number < 1) {
            throw new Mistake("--tokens and --number must be 1 or more");
        }
    }

    /** The text of {@code FILE:path}, or {@code given} itself with {@code \n} for a line break. */
    private static String text(String given) {
        if (given.startsWith("FILE:")) {
            String text;
            try {
                text = new String(Files.readAllBytes(Path.of(given.substring(5))), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new Mistake("--prompt " + given + ": " + Pacer.reason(e), e);
            }
            if (text.isEmpty()) {
                throw new Mistake("--prompt " + given + ": the file is empty; it must have at least one character");
            }
            return text;
        }
        return given.replace("\\n", "\n");
    }

    private String write(TextModel trained, String start, int count, Sampler.Settings settings, int sample) {
        boolean shown = !output.json();
        Terminal out = console.out();
        if (shown && sample > 0) {
            out.println(out.paint(Tone.QUIET, "\n" + "─".repeat(40)));
        }
        WordWrap wrap = new WordWrap(out);
        boolean[] begun = {false};
        String text = trained.write(start, count, settings, sample, piece -> {
            if (shown) {
                // the prompt comes with the first token: until then it may turn out to be none
                if (!begun[0]) {
                    wrap.print(Terminal.harmless(start), Tone.STRONG);
                }
                wrap.print(Terminal.harmless(piece), null);
                begun[0] = true;
                if (out.out().checkError()) {
                    throw new ClosedOutput();
                }
            }
        });
        if (shown) {
            wrap.end();
        }
        return text;
    }
}
