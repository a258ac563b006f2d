package pacer.workflows;

import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import pacer.activities.process.Standby;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Budget;
import pacer.activities.run.Home;
import pacer.activities.run.RecordRequest;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunId;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRequest;
import pacer.activities.run.SweepRequest;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.Sweeps;
import pacer.activities.tracking.Tracking;
import pacer.activities.tracking.TrackingSettings;
import pacer.trainer.durable.Host;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;

/**
 * Runs pipelines: on the Temporal service inside this process with a worker of its own, or on the one at an address, with a
 * worker of its own where nobody else works there.
 */
public final class Pipeline implements AutoCloseable {
    private final Home home;
    private final TemporalConnection connection;
    private final Optional<PipelineWorker> worker;
    private final Optional<Tracking> tracking;
    private final boolean stored;

    private Pipeline(
            Home home,
            TemporalConnection connection,
            Optional<PipelineWorker> worker,
            Optional<TrackingSettings> tracking,
            boolean stored) {
        this.home = home;
        this.stored = stored;
        this.tracking = tracking.filter(_ -> worker.isPresent()).map(t -> new Tracking(Clock.systemUTC(), t));
        this.connection = connection;
        this.worker = worker;
    }

    /**
     * A pipeline that is not open yet. Where the work will be done in this process a trainer stands by already, as its start takes
     * longest of all: there may be more to read before it is known what will run.
     */
    public static final class Prepared implements AutoCloseable {
        private final Home home;
        private final TemporalAddress address;
        private final WorkerSettings settings;

        private Prepared(Home home, TemporalAddress address, WorkerSettings settings) {
            this.home = home;
            this.address = address;
            this.settings = settings;
        }

        /** Whether service and worker will be of this process, and paths of this machine. */
        public boolean here() {
            return address.isEmbedded();
        }

        /** Connects, and starts a worker where one is needed. */
        public Pipeline open() throws IOException {
            return Pipeline.open(home, address, settings);
        }

        /** Ends what stands by, unless it is at work. */
        @Override
        public void close() {
            settings.training().standby().ifPresent(Standby::close);
        }
    }

    /** Begins what takes longest. */
    public static Prepared prepare(PipelineOptions options) throws IOException {
        WorkerSettings settings = WorkerSettings.of(options.home(), options.environment());
        TemporalAddress address = TemporalAddress.find(options.temporal(), options.environment());
        return new Prepared(options.home(), address, address.isEmbedded() ? settings.standingBy() : settings);
    }

    static Pipeline open(Home home, TemporalAddress address, WorkerSettings settings) throws IOException {
        TemporalConnection connection = TemporalConnection.open(address);
        boolean alone = connection.isEmbedded() || !connection.isWorkedOn();
        Set<ServiceWorker.Role> roles =
                alone ? EnumSet.allOf(ServiceWorker.Role.class) : EnumSet.noneOf(ServiceWorker.Role.class);
        return with(home, connection, alone ? working(connection, settings) : settings, roles);
    }

    /** For a process that works on its own run: of the version that runs are given to, or of none where they are given to such. */
    private static WorkerSettings working(TemporalConnection connection, WorkerSettings settings) throws IOException {
        if (connection.isEmbedded()) {
            return settings;
        }
        Optional<Deployment> current = connection.currentVersion();
        if (current.isPresent() && !current.equals(settings.deployment())) {
            connection.close();
            throw new BadInputException("runs are given to " + current.get()
                    + ", and no worker of it listens; start one, or make another current: pacer promote");
        }
        return settings.with(current);
    }

    /** A pipeline of which this process does what {@code roles} say. */
    static Pipeline with(
            Home home, TemporalConnection connection, WorkerSettings settings, Set<ServiceWorker.Role> roles) {
        return new Pipeline(
                home,
                connection,
                roles.isEmpty() ? Optional.empty() : Optional.of(PipelineWorker.start(connection, settings, roles)),
                settings.tracking(),
                settings.store().isPresent());
    }

    /** What happens in the stages that this process works on; empty where it works on none. */
    Optional<RunHub> hub() {
        return worker.map(PipelineWorker::hub);
    }

    /** The page of the run {@code id} in Temporal's UI, where that is known. */
    public Optional<String> page(String id, Map<String, String> environment) {
        return connection.isEmbedded() ? Optional.empty() : RunLinks.workflow(environment, connection.namespace(), id);
    }

    /** One line for people: which service, and who works. */
    public String announcement() {
        String who = connection.isEmbedded()
                ? ""
                : worker.isPresent() ? "; nobody works there yet, this process does" : "; its workers do the work";
        return connection.description() + who;
    }

    /**
     * Starts a run, or goes on with the newest one that was asked for by the same spec and is not finished.
     *
     * @param note a line for people; may be null
     * @param budget after which it is stopped; may be null
     * @param fresh never goes on with an earlier run
     */
    public RunHandle start(SpecLayers layers, String note, Budget budget, boolean fresh) throws IOException {
        int attempt = 1;
        while (true) {
            RunClaim claim = RunClaim.of(home, layers.spec(), fresh, attempt, connection.isEmbedded());
            try {
                return launch(claim, layers.request(note, claim.id()).within(budget), layers.spec());
            } catch (WorkflowExecutionAlreadyStarted e) {
                attempt++; // another client of the service was as quick: the next name
            }
        }
    }

    /**
     * Goes on with the run that {@code name} means (see {@link RunIndex#find}), as it was asked for.
     *
     * @param budget instead of the one that it had; null leaves that
     * @param lastStep where its training ends, instead of where it was to end; null leaves that
     */
    public RunHandle resume(String name, Budget budget, Integer lastStep) throws IOException {
        return resume(name, List.of(), budget, lastStep);
    }

    /**
     * The same over other ranks.
     *
     * @param sets settings over its own, which may change how the training is divided and what the numbers do not depend on
     */
    public RunHandle resume(String name, List<String> sets, Budget budget, Integer lastStep) throws IOException {
        RunIndex.Entry entry = new RunIndex(home.runs()).find(name);
        Path preset = entry.folder().preset();
        RunSpec spec = sets.isEmpty() ? SpecLoader.read(preset) : SpecLoader.load(preset.toString(), List.of(), sets);
        RunClaim claim = RunClaim.of(entry, connection.isEmbedded());
        RunRequest request =
                sets.isEmpty() ? RunRequest.goOn(claim.id()) : new RunRequest(null, null, null, null, claim.id(), sets);
        return launch(claim, request.within(budget).until(lastStep), spec);
    }

    /**
     * The host that goes on with the run of {@code request}, whose folder is here: this one, where a worker is; else the one that opened it last, which may
     * be a container that shares the folder. Null for any, where the service has no other hosts or all of them have the run by a store.
     */
    private String host(RunRequest request) throws IOException {
        if (connection.isEmbedded() || (stored && !request.namesSpec())) {
            return null;
        }
        String last = home.run(request.run()).read().environment().host();
        String here = Host.name();
        return last.equals(here) || worker.isPresent() || isWorkedOn(here) ? here : last;
    }

    private boolean isWorkedOn(String host) {
        try {
            return connection.survey().isThere(host);
        } catch (IOException e) {
            return false; // a service that does not tell who listens
        }
    }

    private RunHandle launch(RunClaim claim, RunRequest asked, RunSpec spec) throws IOException {
        RunRequest request = claim.resumed() ? asked.on(host(asked)) : asked;
        TrainPipeline workflow = connection
                .client()
                .newWorkflowStub(
                        TrainPipeline.class,
                        WorkflowOptions.newBuilder()
                                .setWorkflowId(claim.id())
                                .setTaskQueue(TaskQueues.CONTROL)
                                .setStaticSummary(RunPage.summary(spec))
                                .setStaticDetails(RunPage.details(spec, request.note()))
                                // a run that was interrupted is gone on with under its name, one at work is joined;
                                // a new one must be new
                                .setWorkflowIdReusePolicy(
                                        claim.resumed()
                                                ? WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
                                                : WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE)
                                .setWorkflowIdConflictPolicy(
                                        claim.resumed() && !changes(request)
                                                ? WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
                                                : WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
                                .build());
        RunHandle handle = new RunHandle(claim, home, WorkflowStub.fromTyped(workflow), hub());
        try {
            WorkflowClient.start(workflow::run, request);
        } catch (WorkflowExecutionAlreadyStarted e) {
            claim.release();
            if (claim.resumed()) {
                throw new BadInputException(
                        "run %s is at work, or waits, in the Temporal service, so nothing of it was changed; follow it with pacer resume %s alone; its updates extend, pause and stopEarly (in Temporal's UI, or temporal workflow update) steer it; or stop it, then resume it so"
                                .formatted(claim.id(), claim.id()),
                        e);
            }
            throw e;
        } catch (RuntimeException e) {
            claim.release();
            throw e;
        }
        return handle;
    }

    /** Whether it asks for more than to go on: one that is at work already would pass over that. */
    private static boolean changes(RunRequest request) {
        return request.budget() != null || request.lastStep() != null || request.changesSpec();
    }

    /**
     * Starts a record attempt.
     *
     * @param spec what its runs are of
     */
    public RecordHandle attempt(RecordRequest request, RunSpec spec) {
        String id = RunId.of("record-" + spec.name(), Instant.now(), 1);
        RecordAttempt workflow = connection
                .client()
                .newWorkflowStub(
                        RecordAttempt.class,
                        WorkflowOptions.newBuilder()
                                .setWorkflowId(id)
                                .setTaskQueue(TaskQueues.CONTROL)
                                .setStaticSummary(RunPage.cut("record attempt: " + spec.name()))
                                .setStaticDetails(RunPage.details(spec, request.note()))
                                .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
                                .build());
        WorkflowClient.start(workflow::run, request);
        return new RecordHandle(
                id,
                WorkflowStub.fromTyped(workflow),
                run -> connection.client().newUntypedWorkflowStub(run),
                worker.isPresent());
    }

    /**
     * Starts a sweep.
     *
     * @param spec what its points are of
     */
    public SweepHandle sweep(SweepRequest request, RunSpec spec) {
        String id = RunId.of("sweep-" + spec.name(), Instant.now(), 1);
        return sweep(
                id,
                request,
                WorkflowOptions.newBuilder()
                        .setWorkflowId(id)
                        .setStaticSummary(RunPage.cut("sweep: " + spec.name()))
                        .setStaticDetails(RunPage.details(spec, request.note()))
                        .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL));
    }

    /**
     * Goes on with the sweep whose folder is here: joins it where it is at work, and begins what of it is not done, or failed, where it is not.
     *
     * @param budget instead of the one that it had; null leaves that
     * @param parallel likewise
     * @throws BadInputException when there is no such sweep here
     */
    public SweepHandle resumeSweep(String id, Budget budget, Integer parallel) throws IOException {
        SweepPlan plan = Sweeps.read(home, id).plan();
        String here = Host.name();
        String host = connection.isEmbedded()
                ? null
                : worker.isPresent() || plan.host().equals(here) || isWorkedOn(here) ? here : plan.host();
        return sweep(
                id,
                SweepRequest.goOn(id, host, budget, parallel),
                WorkflowOptions.newBuilder()
                        .setWorkflowId(id)
                        .setStaticSummary(RunPage.cut("sweep: " + plan.preset()))
                        .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
                        .setWorkflowIdConflictPolicy(
                                WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING));
    }

    private SweepHandle sweep(String id, SweepRequest request, WorkflowOptions.Builder options) {
        Sweep workflow = connection
                .client()
                .newWorkflowStub(
                        Sweep.class, options.setTaskQueue(TaskQueues.CONTROL).build());
        WorkflowClient.start(workflow::run, request, null);
        return new SweepHandle(id, run -> connection.client().newUntypedWorkflowStub(run), worker.isPresent());
    }

    /** How a run stands that this process sends to MLflow; empty where it sends none. */
    public Optional<Tracked> tracked(RunFolder folder) {
        return tracking.map(t -> new Tracked(folder, t));
    }

    /** Ends the worker, if there is one, in order; runs on a service elsewhere go on without it. */
    @Override
    public void close() {
        worker.ifPresent(PipelineWorker::close);
        connection.close();
    }
}
