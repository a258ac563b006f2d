package pacer.workflows.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import pacer.activities.dataset.Datasets;
import pacer.activities.run.Budget;
import pacer.workflows.SpecLayers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "run",
        description = {
            "Take a preset from raw text to a trained, evaluated model.",
            "An interrupted run of the same settings is gone on with; finished stages are not done again.%n"
        })
final class RunCommand implements Callable<Integer> {
    @Mixin
    private StartOptions start;

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
        try (RunFollower follower = new RunFollower(console, places, service, output)) {
            SpecLayers layers =
                    start.spec().layers(); // what is wrong with the settings is said before anything else starts
            if (follower.here()) {
                Datasets.requireLocalFile(layers.spec().dataset()); // elsewhere the path is of another machine
            }
            Hints hints = Hints.of(console, places).with(service).with(start.spec());
            Budget budget = start.budget();
            if (budget != null) { // here, rather than by a run that begins on a service to fail
                budget.require(layers.spec().cost().dollarsPerHour());
            }
            return follower.follow(hints, pipeline -> pipeline.start(layers, start.note(), budget, start.fresh()));
        }
    }
}
