package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import pacer.activities.run.Budget;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunId;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.store.Store;
import pacer.activities.store.StoredRuns;
import pacer.workflows.RunClaim;
import pacer.workflows.TemporalAddress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "resume", description = "Go on with a run from its last checkpoint.")
final class ResumeCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "RUN",
            completionCandidates = Completions.OfRuns.class,
            description = "Id, its beginning, last, or a folder (default: the newest that is not finished).")
    private String name;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Train until step N instead, a finished run too: at the rate where its schedule ends.")
    private Integer steps;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            completionCandidates = Completions.OfSettings.class,
            description =
                    "How the work is divided from now on, such as train.ranks=4; can be repeated. No setting that makes it another training.")
    private List<String> sets = List.of();

    @Mixin
    private BudgetOption budget;

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
        boolean here =
                TemporalAddress.find(service.temporal(), console.environment()).isEmbedded();
        Predicate<RunIndex.Entry> free = RunClaim.free(here);
        Optional<RunIndex.Entry> busy =
                unfinished.stream().filter(e -> e.is(Predicate.not(free))).findFirst();
        RunIndex.Entry found = RunIndex.toResume(unfinished, free)
                .orElseThrow(() -> new Mistake("no run in " + Console.shown(runs)
                        + " waits to be gone on with; "
                        + busy.map(run -> whose(run) + "; ").orElse("") + "all of them: "
                        + Hints.of(console, places).local("runs")));
        busy.filter(run -> run.record().created().isAfter(found.record().created()))
                .ifPresent(run -> console.err()
                        .println(console.program() + ": " + whose(run) + "; going on with the newest that is free"));
        return found;
    }

    private String whose(RunIndex.Entry busy) {
        String id = busy.record().id();
        return busy.is(run -> run.folder().leased())
                ? id + " is being worked on"
                : id + " waits in a Temporal service (here all the same: "
                        + Hints.of(console, places).local("resume", id) + ")";
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
        if (steps != null && steps < 1) {
            throw new Mistake("--steps " + steps + ": must be 1 or more");
        }
        if (record.status() == RunStatus.FINISHED && steps == null) {
            throw new Mistake("run " + record.id()
                    + " is finished; --steps N trains it further; a new one of its settings: "
                    + Hints.of(console, places).with(service).run(List.of(Console.shown(folder.preset()), "--new")));
        }
        Hints hints = Hints.of(console, places).with(service);
        try (RunFollower follower = new RunFollower(console, places, service, output)) {
            Budget most = budget.budget();
            return follower.follow(hints, pipeline -> pipeline.resume(record.id(), sets, most, steps));
        }
    }
}
