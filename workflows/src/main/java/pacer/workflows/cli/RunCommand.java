package pacer.workflows.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import pacer.workflows.SpecLayers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "run",
        description = {
            "Take a preset from raw text to a trained, evaluated model.",
            "An interrupted run of the same settings is gone on with; finished stages are not done again.%n"
        })
final class RunCommand implements Callable<Integer> {
    @Mixin
    private SpecOptions spec;

    @Option(
            names = "--new",
            description = "Begin anew, also where an interrupted run of the same settings could be gone on with.")
    private boolean fresh;

    @Option(names = "--note", paramLabel = "TEXT", description = "A line kept with the run.")
    private String note;

    @Mixin
    private ServiceOption service;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    RunCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        SpecLayers layers = spec.layers(); // what is wrong with the settings is said before anything starts
        return new RunFollower(console, places.home(console.environment()), service.temporal(), output.json())
                .follow(pipeline -> pipeline.start(layers, note, fresh));
    }
}
