package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunId;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.store.Store;
import pacer.activities.store.StoredRuns;
import pacer.workflows.RunClaim;
import pacer.workflows.TemporalConnection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "resume", description = "Go on with a run from its last checkpoint.")
final class ResumeCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "RUN",
            description = "Id, its beginning, last, or a folder (default: the newest that is not finished).")
    private String name;

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

    /** A run is worked on under its id, in the folder of runs: another folder's has to be named as such. */
    private void requireAmongRuns(RunFolder folder) {
        Path runs = places.home(console.environment()).runs();
        Path around = folder.path().toAbsolutePath().normalize().getParent();
        if (!runs.equals(around)) {
            throw new Mistake(Console.shown(folder.path()) + " is not in the folder of runs, " + Console.shown(runs)
                    + "; add --runs " + Hints.quoted(Console.shown(around)));
        }
    }

    private RunIndex.Entry unfinished() throws IOException {
        Path runs = places.existing(console.environment());
        List<RunIndex.Entry> unfinished = new RunIndex(runs).unfinished();
        boolean here = TemporalConnection.opensEmbedded(service.temporal(), console.environment());
        RunIndex.Entry found = RunIndex.toResume(unfinished, RunClaim.free(here))
                .orElseThrow(() -> new Mistake("no run in " + Console.shown(runs)
                        + " waits to be gone on with; all of them: "
                        + Hints.of(console, places).local("runs")));
        unfinished.stream()
                .filter(e -> e.is(RunFolder::leased))
                .findFirst()
                .filter(busy -> busy.record().created().isAfter(found.record().created()))
                .ifPresent(busy -> console.err()
                        .println(console.program() + ": " + busy.record().id()
                                + " is being worked on; going on with the newest that is not"));
        return found;
    }

    /** A run that was begun on another host may be in the store. */
    private void bringIfElsewhere() throws IOException, InterruptedException {
        Home home = places.home(console.environment());
        boolean id = RunId.isOne(name);
        if (!id || home.run(name).exists()) {
            return;
        }
        Optional<Store> store = Store.of(console.environment());
        if (store.isPresent() && new StoredRuns(store.get()).bring(home, name)) {
            console.err()
                    .println(console.program() + ": run " + name + " was fetched from "
                            + store.get().place());
        }
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (name != null) {
            bringIfElsewhere();
        }
        RunIndex.Entry entry = name == null ? unfinished() : places.run(name, console.environment());
        RunRecord record = entry.record();
        RunFolder folder = entry.folder();
        requireAmongRuns(folder);
        if (record.status() == RunStatus.FINISHED) {
            throw new Mistake("run " + record.id() + " is finished; a new one of its settings: "
                    + Hints.of(console, places).with(service).run(List.of(Console.shown(folder.preset()), "--new")));
        }
        Hints hints = Hints.of(console, places).with(service);
        try (RunFollower follower = new RunFollower(console, places, service, output)) {
            return follower.follow(hints, pipeline -> pipeline.resume(record.id()));
        }
    }
}
