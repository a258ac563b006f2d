package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import pacer.activities.publishing.report.ReportWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "report", description = "Write a run's report anew, also while it is worked on.")
final class ReportCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            defaultValue = "last",
            paramLabel = "RUN",
            description = "Id, its beginning, last, or a folder.")
    private String run;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    ReportCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        Path page = ReportWriter.write(
                places.run(run, console.environment()).folder().path());
        if (output.json()) {
            console.json(Map.of("report", page.toString()));
        } else {
            console.println(Console.shown(page));
        }
        return Exit.OK;
    }
}
