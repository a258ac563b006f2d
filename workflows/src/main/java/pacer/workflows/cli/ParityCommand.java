package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import pacer.trainer.model.Engine;
import pacer.trainer.parity.Parity;
import pacer.trainer.parity.ParityReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "parity",
        description = {
            "Replay recorded runs of other frameworks and compare every quantity.",
            "Exits 1 when one is beyond its tolerance.%n"
        })
final class ParityCommand implements Callable<Integer> {
    @Parameters(
            arity = "1..*",
            paramLabel = "TRACE",
            description = "X for X.json beside X.safetensors, or a folder with a Hugging Face model and golden.json.")
    private List<Path> traces;

    @Mixin
    private EngineOptions options;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    ParityCommand(Console console) {
        this.console = console;
    }

    /** A trace's name, also where one of its files was given, as the shell completes it. */
    private static Path bare(Path trace) {
        String name = trace.toString();
        for (String end : List.of(".json", ".safetensors")) {
            if (name.endsWith(end) && Files.isRegularFile(trace)) {
                return Path.of(name.substring(0, name.length() - end.length()));
            }
        }
        return trace;
    }

    @Override
    public Integer call() throws IOException {
        Engine engine = options.engine(places.home(console.environment()).cache());
        List<ParityReport> reports = new ArrayList<>();
        for (Path trace : traces) {
            ParityReport report = Parity.replay(bare(trace), engine);
            reports.add(report);
            if (!output.json()) {
                console.out().out().print(Terminal.harmless(report.table()));
            }
        }
        if (output.json()) {
            console.json(reports);
        }
        return reports.stream().allMatch(ParityReport::passed) ? Exit.OK : Exit.FAILED;
    }
}
