package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import pacer.activities.publishing.report.ReportWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "report", description = "Write a run's report anew, also while it is worked on.")
final class ReportCommand implements Callable<Integer> {
    @Mixin
    private RunParameter run;

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
        Path page = ReportWriter.write(run.entry(places, console).folder().path());
        if (output.json()) {
            console.json(Map.of("report", page.toString()));
        } else {
            console.println(Console.shown(page));
        }
        return Exit.OK;
    }
}
