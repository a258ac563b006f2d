package pacer.workflows.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "resume", description = "Go on with a run from its last checkpoint.")
final class ResumeCommand implements Callable<Integer> {
    @Mixin
    private RunParameter run;

    @Mixin
    private ServiceOption service;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    ResumeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        RunRecord record = run.entry(places, console).record();
        if (record.status() == RunStatus.FINISHED) {
            throw new Mistake("run " + record.id() + " is finished; a new one of its preset: " + console.program()
                    + " run " + record.preset());
        }
        return new RunFollower(console, places, service, output).follow(pipeline -> pipeline.resume(record.id()));
    }
}
