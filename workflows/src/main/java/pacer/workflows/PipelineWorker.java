package pacer.workflows;

import io.temporal.common.converter.DataConverterException;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import io.temporal.worker.WorkflowImplementationOptions;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import pacer.activities.dataset.DatasetActivityImpl;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.PreparationActivityImpl;
import pacer.activities.dataset.SharedDatasets;
import pacer.activities.evaluation.Evaluation;
import pacer.activities.evaluation.EvaluationActivityImpl;
import pacer.activities.host.HostHealth;
import pacer.activities.notification.NotificationActivityImpl;
import pacer.activities.notification.Notifier;
import pacer.activities.notification.Webhook;
import pacer.activities.process.Standby;
import pacer.activities.publishing.Publishing;
import pacer.activities.publishing.PublishingActivityImpl;
import pacer.activities.record.RecordActivityImpl;
import pacer.activities.record.Records;
import pacer.activities.reproduction.ReproductionActivityImpl;
import pacer.activities.reproduction.Reproductions;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Environment;
import pacer.activities.run.Home;
import pacer.activities.run.HostActivityImpl;
import pacer.activities.run.Machine;
import pacer.activities.run.RunActivityImpl;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.Runs;
import pacer.activities.run.StageLog;
import pacer.activities.staging.Staging;
import pacer.activities.staging.StagingActivityImpl;
import pacer.activities.store.Store;
import pacer.activities.store.StoredDatasets;
import pacer.activities.store.StoredRuns;
import pacer.activities.sweep.SweepActivityImpl;
import pacer.activities.sweep.Sweeps;
import pacer.activities.tracking.Tracking;
import pacer.activities.tracking.TrackingActivityImpl;
import pacer.activities.training.EnsembleActivityImpl;
import pacer.activities.training.HostRanks;
import pacer.activities.training.Training;
import pacer.activities.training.TrainingActivityImpl;
import pacer.activities.training.TrainingControlActivityImpl;
import pacer.trainer.durable.Host;

/** Does the work of pipelines on this machine: workflows, folders and cache, and one training at a time. */
public final class PipelineWorker implements AutoCloseable {
    /** How soon a stage hears that it is cancelled: what it says is sent this often. */
    private static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(1);

    /** For stages to come to an end after they were told: longer than a trainer's own grace. */
    private static final Duration GRACE = Duration.ofSeconds(90);

    /** Slots of the host's queue for what is no training. */
    static final int MOST_WAITING = 1000;

    /** An answer takes no time. */
    private static final int ANSWERS_AT_ONCE = 2;

    private static final Duration LAST_GRACE = Duration.ofSeconds(10);

    private final List<WorkerFactory> factories;
    private final RunHub hub;
    private final Optional<Standby> standby;
    private final HostHealth health;

    private PipelineWorker(List<WorkerFactory> factories, RunHub hub, Optional<Standby> standby, HostHealth health) {
        this.health = health;
        this.factories = factories;
        this.hub = hub;
        this.standby = standby;
    }

    /** Those of a run in Temporal and in MLflow, as far as it has them. */
    private static Map<String, String> pages(TemporalConnection connection, WorkerSettings settings, RunFolder folder)
            throws IOException {
        Map<String, String> pages = new LinkedHashMap<>();
        String workflow = folder.read().workflowId();
        String ui = settings.webhook().map(Webhook::temporalUi).orElse("");
        if (workflow != null && !connection.isEmbedded()) {
            RunLinks.workflow(ui, connection.namespace(), workflow)
                    .ifPresent(page -> pages.put(RunLinks.TEMPORAL, page));
        }
        if (settings.tracking().isPresent()) {
            new Tracking(Clock.systemUTC(), settings.tracking().get())
                    .page(folder)
                    .ifPresent(page -> pages.put(RunLinks.MLFLOW_RUN, page));
        }
        return pages;
    }

    /** That of a workflow, under {@code name}; a reproduction is another one than its run. */
    private static Map<String, String> page(
            String name, TemporalConnection connection, WorkerSettings settings, String workflow) {
        String ui = settings.webhook().map(Webhook::temporalUi).orElse("");
        return connection.isEmbedded()
                ? Map.of()
                : RunLinks.workflow(ui, connection.namespace(), workflow)
                        .map(page -> Map.of(name, page))
                        .orElse(Map.of());
    }

    /** Starts asking the service for work. */
    static PipelineWorker start(TemporalConnection connection, WorkerSettings settings, Set<ServiceWorker.Role> roles) {
        return start(connection, settings, roles, _ -> {});
    }

    /** @param complaints hears of what concerns no run alone */
    static PipelineWorker start(
            TemporalConnection connection,
            WorkerSettings settings,
            Set<ServiceWorker.Role> roles,
            Consumer<String> complaints) {
        Clock clock = Clock.systemUTC();
        RunHub hub = new RunHub();
        HostHealth health = new HostHealth();
        CompletableFuture<Environment> machine = CompletableFuture.supplyAsync(Machine::environment);
        Notifier notifier =
                new Notifier(settings.webhook(), folder -> pages(connection, settings, folder), settings.home(), hub);
        hub.followAll(notifier::hear);
        Searchable searchable = Searchable.of(connection, complaints);
        if (roles.contains(ServiceWorker.Role.HOST)) {
            boolean _ = searchable.now(); // what is missing is told before the first run
        }
        RunActivityImpl runs = new RunActivityImpl(
                new Runs(
                        settings.home(),
                        hub,
                        clock,
                        machine::join,
                        settings.report(),
                        StoredRuns.elsewhere(settings.store(), settings.home())),
                hub,
                () -> settings.surroundings(searchable.now()),
                notifier::closed,
                health::unfit);
        WorkerFactory factory = WorkerFactory.newInstance(connection.client());
        // of one queue a factory has one worker, only what decides has a version, and a host that is drained opens no
        // runs but decides on
        Optional<Deployment> version = settings.deployment().filter(_ -> !connection.isEmbedded());
        boolean apart = version.isPresent() || (roles.contains(ServiceWorker.Role.HOST) && !connection.isEmbedded());
        WorkerFactory deciding = apart ? WorkerFactory.newInstance(connection.client()) : factory;
        if (roles.contains(ServiceWorker.Role.CONTROL)) {
            WorkerOptions.Builder options = options();
            version.ifPresent(v -> options.setDeploymentOptions(v.options()));
            registerWorkflows(control(deciding, options), settings.policies());
            factory.newWorker(TaskQueues.NOTICES, options().build())
                    .registerActivitiesImplementations(new NotificationActivityImpl(
                            notifier, workflow -> page(RunLinks.TEMPORAL, connection, settings, workflow)));
        }
        if (roles.contains(ServiceWorker.Role.HOST)) {
            // who opens a run has it: all its stages go to that host's queues, so one without them must not
            Worker opening = control(factory, options());
            opening.registerActivitiesImplementations(runs);
            Worker training =
                    host(factory, opening, connection, settings, runs, notifier, hub, health, clock, machine::join);
            health.onUnfit(_ -> {
                training.suspendPolling();
                if (apart) {
                    opening.suspendPolling();
                }
            });
        }
        List<WorkerFactory> factories = apart ? List.of(deciding, factory) : List.of(factory);
        factories.forEach(WorkerFactory::start);
        return new PipelineWorker(factories, hub, settings.training().standby(), health);
    }

    private static Worker control(WorkerFactory factory, WorkerOptions.Builder options) {
        Worker there = factory.tryGetWorker(TaskQueues.CONTROL);
        return there != null ? there : factory.newWorker(TaskQueues.CONTROL, options.build());
    }

    static void registerWorkflows(Worker worker, Policies policies) {
        // an input that cannot be read would otherwise be tried for ever
        WorkflowImplementationOptions options = WorkflowImplementationOptions.newBuilder()
                .setFailWorkflowExceptionTypes(DataConverterException.class)
                .build();
        worker.registerWorkflowImplementationFactory(
                TrainPipeline.class, () -> new TrainPipelineImpl(policies), options);
        worker.registerWorkflowImplementationFactory(Reproduce.class, () -> new ReproduceImpl(policies), options);
        worker.registerWorkflowImplementationFactory(
                RecordAttempt.class, () -> new RecordAttemptImpl(policies), options);
        worker.registerWorkflowImplementationFactory(Sweep.class, () -> new SweepImpl(policies), options);
        worker.registerWorkflowImplementationFactory(
                PrepareDataset.class, () -> new PrepareDatasetImpl(policies), options);
        worker.registerWorkflowImplementationFactory(TrackRun.class, () -> new TrackRunImpl(policies), options);
    }

    /** Gives the worker that trains and evaluates. */
    private static Worker host(
            WorkerFactory factory,
            Worker control,
            TemporalConnection connection,
            WorkerSettings settings,
            RunActivityImpl runs,
            Notifier notifier,
            RunHub hub,
            HostHealth health,
            Clock clock,
            Supplier<Environment> machine) {
        settings.store().ifPresent(Store::begin);
        Home home = settings.home();
        StageLog log = new StageLog(home, hub, clock);
        Optional<StoredDatasets> stored = settings.store().map(StoredDatasets::new);
        ActivityStage activity = new ActivityStage(home, hub, health::unfit);
        String host = Host.name();
        Training training = new Training(
                home,
                log,
                hub,
                clock,
                machine,
                settings.training(),
                settings.store().map(StoredRuns::new));
        Datasets alone = new Datasets(home, log, clock, settings.fetch(), stored);
        // a service inside this process has no other hosts
        Optional<DatasetExecutions> others =
                stored.filter(_ -> !connection.isEmbedded()).map(_ -> new DatasetExecutions(connection.client()));
        PreparationActivityImpl preparation = new PreparationActivityImpl(
                others.map(executions ->
                        new SharedDatasets(alone, stored.orElseThrow(), settings.preparation(), executions, clock)),
                activity);
        RecordActivityImpl records = new RecordActivityImpl(new Records(home, connection::slots));
        SweepActivityImpl sweeps = new SweepActivityImpl(new Sweeps(home, connection::slots), activity);
        control.registerActivitiesImplementations(preparation, records, sweeps);
        if (others.isPresent()) {
            Worker shared = factory.newWorker(
                    TaskQueues.SHARED_DATA,
                    options()
                            .setMaxConcurrentActivityExecutionSize(
                                    settings.preparation().slots())
                            .build());
            shared.registerActivitiesImplementations(preparation);
        }
        Staging staging = new Staging(home, log, clock, stored, settings.cacheLimit(), settings.fetch());
        TrainingActivityImpl trains = new TrainingActivityImpl(training, activity);
        EnsembleActivityImpl ensemble = new EnsembleActivityImpl(
                new HostRanks(home, settings.training(), settings.store().map(StoredRuns::new), settings.fetch()),
                staging,
                settings.store(),
                connection::hosts,
                activity);
        // each ended run that waits for MLflow holds one
        Worker data = factory.newWorker(
                TaskQueues.data(host),
                options().setMaxConcurrentActivityExecutionSize(MOST_WAITING).build());
        HostActivityImpl answers = new HostActivityImpl();
        data.registerActivitiesImplementations(
                runs,
                answers, // to workflows that were begun before there was a queue for it
                new DatasetActivityImpl(others.map(alone::together).orElse(alone), activity),
                preparation,
                new StagingActivityImpl(staging, activity),
                trains, // where another activity holds the slot
                ensemble,
                new TrainingControlActivityImpl(training),
                new ReproductionActivityImpl(
                        new Reproductions(home),
                        (told, workflow) ->
                                notifier.reproduced(told, page(RunLinks.REPRODUCTION, connection, settings, workflow))),
                records,
                sweeps,
                new PublishingActivityImpl(new Publishing(home, log, clock, settings.report()), activity),
                new TrackingActivityImpl(home, settings.tracking().map(t -> new Tracking(clock, t)), hub));
        Worker alive = factory.newWorker(
                TaskQueues.alive(host),
                options().setMaxConcurrentActivityExecutionSize(ANSWERS_AT_ONCE).build());
        alive.registerActivitiesImplementations(answers);
        Worker train = factory.newWorker(
                TaskQueues.train(host),
                options().setMaxConcurrentActivityExecutionSize(1).build());
        train.registerActivitiesImplementations(
                trains,
                ensemble,
                new EvaluationActivityImpl(new Evaluation(home, log, hub, clock, settings.evaluation()), activity));
        return train;
    }

    private static WorkerOptions.Builder options() {
        // a pipeline asks for little at a time: few pollers, few threads, a quick start
        return WorkerOptions.newBuilder()
                .setMaxConcurrentActivityTaskPollers(1)
                .setMaxConcurrentWorkflowTaskPollers(2)
                .setMaxHeartbeatThrottleInterval(HEARTBEAT_INTERVAL)
                .setDefaultHeartbeatThrottleInterval(HEARTBEAT_INTERVAL);
    }

    /** Whether this host may compute. */
    HostHealth health() {
        return health;
    }

    /** What happens in the stages that this worker works on. */
    RunHub hub() {
        return hub;
    }

    /**
     * Ends in order: asks for no more work; a training in progress writes a checkpoint and is gone on with by another worker,
     * or by this one when it is back.
     */
    @Override
    public void close() {
        try {
            standby.ifPresent(Standby::close);
        } finally {
            closeFactories();
        }
    }

    private void closeFactories() {
        factories.forEach(WorkerFactory::shutdown);
        for (WorkerFactory factory : factories) {
            factory.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS);
            if (!factory.isTerminated()) {
                factory.shutdownNow();
                factory.awaitTermination(LAST_GRACE.toMillis(), TimeUnit.MILLISECONDS);
            }
        }
    }
}
