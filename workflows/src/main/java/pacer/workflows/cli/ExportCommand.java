package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.publishing.ModelExport;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "export",
        description = {
            "Write a trained model as a folder for others: one of GPT-2's network opens in Hugging Face's",
            "transformers, any other has a configuration of its own; each with tokenizer and model card.%n"
        })
final class ExportCommand implements Callable<Integer> {
    private static final Pattern SIZE = Pattern.compile("([1-9][0-9]{0,8})(MB|GB)");

    @Parameters(
            index = "0",
            paramLabel = "RUN",
            completionCandidates = Completions.OfRuns.class,
            description = "Id of a run, its beginning, last, or a folder of a run or of its checkpoint.")
    private String name;

    @Parameters(index = "1", paramLabel = "FOLDER", description = "Where to write it; must not be there yet.")
    private Path folder;

    @Mixin
    private CheckpointOption checkpoint;

    @Option(
            names = "--max-file-size",
            paramLabel = "SIZE",
            defaultValue = "5GB",
            description = "Larger weights are divided into several files, 500MB or 5GB (default: 5GB).")
    private String size;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    ExportCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        Matcher parts = SIZE.matcher(size);
        if (!parts.matches()) {
            throw new Mistake("--max-file-size " + size + ": must be a whole number of MB or GB, such as 500MB");
        }
        long bytes = Long.parseLong(parts.group(1)) * (parts.group(2).equals("MB") ? 1_000_000 : 1_000_000_000);
        if (Files.exists(folder)) {
            throw new Mistake(folder + " exists already; delete it or name another folder");
        }
        CheckpointOption.Source source = checkpoint.source(name, places, console);
        if (source.step().isEmpty()) {
            throw new Mistake(source.title() + " is exported already; give a run or a checkpoint");
        }
        Optional<RunSpec> run =
                source.run().map(entry -> SpecLoader.read(entry.folder().preset()));
        boolean gpt2 = ModelExport.write(Checkpoint.open(source.folder()), run, folder, bytes, _ -> {});
        if (output.json()) {
            SequencedMap<String, Object> told = new LinkedHashMap<>();
            told.put("folder", folder.toString());
            told.put("checkpoint", source.folder().toString());
            told.put("step", source.step().getAsInt());
            told.put("format", gpt2 ? "gpt2" : "pacer");
            console.json(told);
        } else {
            Terminal out = console.out();
            out.println(out.paint(Tone.QUIET, Terminal.harmless(source.title())));
            out.println(Console.shown(folder)
                    + (gpt2
                            ? " opens in Hugging Face's transformers"
                            : " has a configuration of its own, as transformers knows no such network"));
            out.println(out.paint(
                    Tone.QUIET, "Try it: %s sample %s".formatted(console.program(), Hints.quoted(folder.toString()))));
        }
        return Exit.OK;
    }
}
