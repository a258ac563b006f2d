package pacer.activities.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import pacer.trainer.data.BadDataException;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.memory.MemoryNeed;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecException;
import pacer.trainer.spec.SpecHash;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;

/** Opens runs, new ones and ones to go on with, and closes them. */
public final class Runs {
    private final Home home;
    private final RunHub hub;
    private final Clock clock;
    private final Supplier<Environment> machine;
    private final Report report;
    private final Elsewhere elsewhere;

    /** Writes the report of the run in a folder. */
    @FunctionalInterface
    public interface Report {
        void write(Path runFolder) throws IOException;
    }

    /** Where runs of other hosts are found, and this one's by them. */
    public interface Elsewhere {
        /** There is no such place. */
        Elsewhere NOWHERE = new Elsewhere() {
            @Override
            public void bring(String id) {}

            @Override
            public void keep(RunFolder run) {}
        };

        /** Makes the folder of the run {@code id} here, if it is known there. */
        void bring(String id) throws IOException, InterruptedException;

        /** Has there what {@code run} came to; waits for moments only. */
        void keep(RunFolder run) throws IOException, InterruptedException;
    }

    public Runs(Home home, RunHub hub, Clock clock, Supplier<Environment> machine, Report report) {
        this(home, hub, clock, machine, report, Elsewhere.NOWHERE);
    }

    public Runs(Home home, RunHub hub, Clock clock, Supplier<Environment> machine, Report report, Elsewhere elsewhere) {
        this.elsewhere = elsewhere;
        this.home = home;
        this.hub = hub;
        this.clock = clock;
        this.machine = machine;
        this.report = report;
    }

    /**
     * Makes the run's folder, or takes the one there is. Doing it again, for the same workflow, gives the same run, until that is finished: then the
     * workflow's id was used for another one.
     *
     * @param owner the execution of the workflow
     * @throws IOException also when another process works on the run, for anybody else
     * @throws BadInputException when the request names no valid spec, or a run to go on with that is neither here nor in a store
     * @throws StageFailure when the host that has the run's folder did not open it, and the run is neither here nor in a store
     */
    public RunPlan open(RunRequest request, String workflowId, String owner) throws IOException {
        if (request == null) {
            return open(new RunRequest(null, null, null, null, null), workflowId, owner);
        }
        if (!request.faults().isEmpty()) {
            throw new BadInputException(String.join("\n", request.faults()));
        }
        if (request.goesOn() && !folder(request.run()).exists()) {
            bring(request.run());
        }
        List<RunIndex.Entry> ofWorkflow = request.run() != null ? List.of() : of(workflowId);
        Optional<RunFolder> there = request.run() != null
                ? Optional.of(folder(request.run())).filter(RunFolder::exists)
                : ofWorkflow.stream()
                        .filter(e -> e.record().status() != RunStatus.FINISHED)
                        .map(RunIndex.Entry::folder)
                        .findFirst();
        if (there.isEmpty() && request.goesOn()) {
            throw elsewhere(request);
        }
        RunPlan plan =
                there.isPresent() ? goOn(there.get(), request, workflowId, owner) : create(request, workflowId, owner);
        hub.tell(plan.run(), new RunUpdate.Opened(home.run(plan.run()).read()));
        if (there.isEmpty() && !ofWorkflow.isEmpty()) {
            String before = ofWorkflow.getFirst().record().id();
            hub.tell(
                    plan.run(),
                    new RunUpdate.Notice(
                            Stage.DATASET,
                            "this is a new run: %s, of the same workflow id, is finished and stays as it is; to train that one further: pacer resume %s --steps N"
                                    .formatted(before, before)));
        }
        return plan;
    }

    /** The runs that a workflow of this id made here, the newest first. */
    private List<RunIndex.Entry> of(String workflowId) throws IOException {
        return new RunIndex(home.runs())
                .list().stream()
                        .filter(e -> workflowId.equals(e.record().workflowId()))
                        .toList();
    }

    /** The same, for one whose workflow has but this execution. */
    public RunPlan open(RunRequest request, String workflowId) throws IOException {
        return open(request, workflowId, workflowId);
    }

    /** Changes where the run's training ends, from its next attempt on; returns the new last step. */
    public int amend(RunAmendment amendment) throws IOException {
        RunFolder folder = home.run(amendment.run());
        int step = amendment.lastStep() != null ? amendment.lastStep() : folder.newestStep();
        if (step < 1) {
            throw new BadInputException("run " + folder.id() + ": training cannot end at step " + step);
        }
        folder.update(r -> r.endingAt(step));
        return step;
    }

    private static void requireAhead(RunFolder folder, int lastStep) throws IOException {
        int newest = folder.newestStep();
        if (lastStep < newest) {
            throw new BadInputException(
                    "run %s: its newest checkpoint is of step %d, it cannot end at step %d; a new run of its settings can"
                            .formatted(folder.id(), newest, lastStep));
        }
    }

    /** Marks the run as ended and brings its report up to date, where that can be done. */
    public void close(RunEnding ending) throws IOException {
        RunFolder folder = home.run(ending.run());
        RunRecord closed = folder.update(r -> r.ended(ending.status(), clock.instant(), r.verdict(), ending.reason()));
        // a training that came to nothing for its settings, as one that diverged, was not refused
        boolean refused =
                Boolean.TRUE.equals(ending.refused()) && closed.trainedOn().isEmpty();
        hub.tell(ending.run(), new RunUpdate.Closed(closed, refused));
        try {
            report.write(folder.path());
        } catch (IOException | RuntimeException e) {
            notice(folder, "the report was not brought up to date: " + Reasons.of(e));
        }
        try {
            elsewhere.keep(folder);
        } catch (IOException | RuntimeException e) {
            notice(folder, "how the run ended is known on this machine only: " + Reasons.of(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void notice(RunFolder folder, String text) {
        hub.tell(folder.id(), new RunUpdate.Notice(Stage.PUBLISH, text));
    }

    /** Beginning anew under its name what another host has would be another run. */
    private RuntimeException elsewhere(RunRequest request) {
        String id = request.run();
        String here = machine.get().host();
        String missing = "run %s is neither in %s on host %s nor in a store that it knows (PACER_STORE)"
                .formatted(id, home.runs(), here);
        if (request.host() == null) {
            return new BadInputException(
                    "%s; where its folder is: pacer resume %s; or name that host: {\"run\": \"%s\", \"host\": \"HOST\"}"
                            .formatted(missing, id, id));
        }
        return request.host().equals(here)
                ? new BadInputException(
                        missing + "; start the worker there with the folder of runs that has it: --runs")
                : new StageFailure(
                        "host %s, which has the folder of run %s, did not open it, and %s; start the worker of host %s and resume the run"
                                .formatted(request.host(), id, missing, request.host()),
                        false);
    }

    private void bring(String id) throws IOException {
        try {
            elsewhere.bring(id);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("run " + id + ": interrupted while it was looked for", e);
        }
    }

    private RunFolder folder(String id) {
        try {
            return home.run(id);
        } catch (IllegalArgumentException e) {
            throw new BadInputException(e.getMessage(), e);
        }
    }

    private RunPlan create(RunRequest request, String workflowId, String owner) throws IOException {
        RunSpec spec = SpecRequest.resolve(request);
        requireBudget(request.budget(), spec);
        requireMemory(spec);
        Instant now = clock.instant();
        String yaml = CanonicalYaml.write(spec);
        for (int attempt = 1; ; attempt++) {
            String id = request.run() != null ? request.run() : RunId.of(spec.name(), now, attempt);
            RunRecord first = new RunRecord(
                    id,
                    spec.name(),
                    SpecHash.of(spec),
                    request.note(),
                    RunStatus.RUNNING,
                    now,
                    null,
                    workflowId,
                    machine.get(),
                    List.of(),
                    null,
                    null,
                    List.of(),
                    null,
                    request.budget());
            RunFolder folder = folder(id);
            if (folder.create(first, yaml)) {
                return plan(folder, spec, first);
            }
            if (request.run() != null) {
                return goOn(folder, request, workflowId, owner); // made by another in this moment
            }
        }
    }

    private RunPlan goOn(RunFolder folder, RunRequest request, String workflowId, String owner) throws IOException {
        try (RunLease _ = RunLease.join(folder, owner)) {
            return goOn(folder, request, workflowId);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(folder.path() + ": interrupted while waiting for the run", e);
        }
    }

    private RunPlan goOn(RunFolder folder, RunRequest request, String workflowId) throws IOException {
        RunRecord record = folder.read();
        RunSpec spec = spec(folder);
        if (request.changesSpec()) {
            RunSpec asked = SpecRequest.resolve(request.namesSpec() ? request : request.over(folder.preset()));
            String hash = SpecHash.of(asked);
            if (!hash.equals(record.specHash()) && !isDividedOtherwise(asked, spec)) {
                throw new BadInputException("run " + folder.id() + " was made from another spec (hash "
                        + record.specHash().substring(0, 12) + ", now " + hash.substring(0, 12)
                        + "); start a new run, or go on with this one by its name alone");
            }
            // what does not change the numbers may have changed: checkpoints, expectation, cost; and over how many
            // ranks, which changes their rounding
            spec = asked;
        }
        // all that may be refused comes before anything of the run is changed
        requireBudget(request.budget(), spec);
        if (request.lastStep() != null) {
            requireAhead(folder, request.lastStep());
        }
        if (request.changesSpec()) {
            DurableFiles.write(folder.preset(), CanonicalYaml.write(spec).getBytes(StandardCharsets.UTF_8));
        }
        DurableFiles.sweep(folder.path(), Duration.ZERO);
        DurableFiles.sweep(folder.samples(), Duration.ZERO);
        boolean same = workflowId.equals(record.workflowId())
                && record.status() == RunStatus.RUNNING
                && record.environment().host().equals(machine.get().host()); // its stages go to this one's queues
        RunRecord begun = same ? record : folder.update(r -> r.begun(workflowId, machine.get()));
        if (request.budget() != null) {
            begun = folder.update(r -> r.within(request.budget()));
        }
        if (request.lastStep() != null) {
            begun = folder.update(r -> r.endingAt(request.lastStep()));
        }
        return plan(folder, spec, begun);
    }

    /** Whether {@code asked} is the training of {@code made}, whose vocabulary may be known by now, over other ranks, hosts or threads. */
    private static boolean isDividedOtherwise(RunSpec asked, RunSpec made) {
        RunSpec filled = asked.model().vocabulary() == 0 && made.model().vocabulary() > 0
                ? SpecResolver.forDataset(asked, made.model().vocabulary())
                : asked;
        return SpecHash.ofTraining(filled).equals(SpecHash.ofTraining(made));
    }

    private static RunSpec spec(RunFolder folder) throws IOException {
        try {
            return SpecLoader.read(folder.preset());
        } catch (SpecException e) {
            throw new BadInputException(e.getMessage(), e);
        }
    }

    private static void requireBudget(Budget budget, RunSpec spec) {
        if (budget != null) {
            budget.require(spec.cost().dollarsPerHour());
        }
    }

    /** Before anything is fetched for it; the trainer, which knows the vocabulary of any text, asks again. */
    private static void requireMemory(RunSpec spec) {
        try {
            MemoryNeed.require(spec);
        } catch (BadDataException e) {
            throw new BadInputException(e.getMessage(), e);
        }
    }

    private static RunPlan plan(RunFolder folder, RunSpec spec, RunRecord record) {
        ModelSpec model = spec.model();
        return new RunPlan(
                folder.id(),
                spec.name(),
                spec.description(),
                record.specHash(),
                "%d layers, %d heads, %d wide, context %d"
                        .formatted(model.layers(), model.heads(), model.width(), model.sequenceLength()),
                record.lastStep(spec.train().steps()),
                spec.dataset(),
                record.environment().host(),
                !record.stages().isEmpty(),
                new RunPlan.Page(
                        false,
                        null,
                        CanonicalYaml.write(spec),
                        record.environment().commit(),
                        spec.cost().dollarsPerHour()),
                null,
                spec.train().hosts() > 1 ? spec.train().hosts() : null,
                spec.train().hosts() > 1 ? spec.train().ranksPerHost() : null);
    }
}
