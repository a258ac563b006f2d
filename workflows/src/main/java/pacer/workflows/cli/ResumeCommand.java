package pacer.workflows.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import pacer.activities.run.Home;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "resume", description = "Go on with a run from its last checkpoint.")
final class ResumeCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            defaultValue = "last",
            paramLabel = "RUN",
            description = "Id, its beginning, last, or a folder.")
    private String run;

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
        Home home = places.home(console.environment());
        RunRecord record = places.run(run, console.environment()).record();
        if (record.status() == RunStatus.FINISHED) {
            throw new Mistake("run " + record.id() + " is finished; a new one of its preset: " + console.program()
                    + " run " + record.preset());
        }
        return new RunFollower(console, home, service.temporal(), output.json())
                .follow(pipeline -> pipeline.resume(record.id()));
    }
}
