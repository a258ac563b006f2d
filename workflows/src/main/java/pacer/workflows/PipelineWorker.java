package pacer.workflows;

import io.temporal.common.converter.DataConverterException;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import io.temporal.worker.WorkflowImplementationOptions;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import pacer.activities.dataset.DatasetActivityImpl;
import pacer.activities.dataset.Datasets;
import pacer.activities.evaluation.Evaluation;
import pacer.activities.evaluation.EvaluationActivityImpl;
import pacer.activities.publishing.Publishing;
import pacer.activities.publishing.PublishingActivityImpl;
import pacer.activities.run.Environment;
import pacer.activities.run.Machine;
import pacer.activities.run.RunActivityImpl;
import pacer.activities.run.RunHub;
import pacer.activities.run.Runs;
import pacer.activities.run.StageLog;
import pacer.activities.staging.Staging;
import pacer.activities.staging.StagingActivityImpl;
import pacer.activities.training.Training;
import pacer.activities.training.TrainingActivityImpl;

/** Does the work of pipelines on this machine: workflows, folders and cache, and one training at a time. */
public final class PipelineWorker implements AutoCloseable {
    /** How soon a stage hears that it is cancelled: what it says is sent this often. */
    private static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(1);

    private final WorkerFactory factory;
    private final RunHub hub;

    private PipelineWorker(WorkerFactory factory, RunHub hub) {
        this.factory = factory;
        this.hub = hub;
    }

    /** Starts asking the service for work. */
    static PipelineWorker start(TemporalConnection connection, WorkerSettings settings) {
        Clock clock = Clock.systemUTC();
        RunHub hub = new RunHub();
        StageLog log = new StageLog(settings.home(), hub, clock);
        CompletableFuture<Environment> machine = CompletableFuture.supplyAsync(Machine::environment);
        Runs runs = new Runs(settings.home(), hub, clock, machine::join, settings.report());
        String host = Machine.hostName();

        WorkerFactory factory = WorkerFactory.newInstance(connection.client());
        Worker control = factory.newWorker(TaskQueues.CONTROL, options().build());
        control.registerWorkflowImplementationFactory(
                TrainPipeline.class,
                () -> new TrainPipelineImpl(settings.policies()),
                // an input that cannot be read would otherwise be tried for ever
                WorkflowImplementationOptions.newBuilder()
                        .setFailWorkflowExceptionTypes(DataConverterException.class)
                        .build());
        control.registerActivitiesImplementations(new RunActivityImpl(runs));

        Worker data = factory.newWorker(TaskQueues.data(host), options().build());
        data.registerActivitiesImplementations(
                new RunActivityImpl(runs),
                new DatasetActivityImpl(new Datasets(settings.home(), log, clock, settings.fetch()), hub),
                new StagingActivityImpl(new Staging(settings.home(), log, clock), hub),
                new PublishingActivityImpl(new Publishing(settings.home(), log, clock, settings.report()), hub));

        Worker train = factory.newWorker(
                TaskQueues.train(host),
                options().setMaxConcurrentActivityExecutionSize(1).build());
        train.registerActivitiesImplementations(
                new TrainingActivityImpl(new Training(settings.home(), log, hub, clock, settings.training()), hub),
                new EvaluationActivityImpl(
                        new Evaluation(settings.home(), log, hub, clock, settings.evaluation()), hub));
        factory.start();
        return new PipelineWorker(factory, hub);
    }

    private static WorkerOptions.Builder options() {
        // a pipeline asks for little at a time: few pollers, few threads, a quick start
        return WorkerOptions.newBuilder()
                .setMaxConcurrentActivityTaskPollers(1)
                .setMaxConcurrentWorkflowTaskPollers(2)
                .setMaxHeartbeatThrottleInterval(HEARTBEAT_INTERVAL)
                .setDefaultHeartbeatThrottleInterval(HEARTBEAT_INTERVAL);
    }

    /** What happens in the stages that this worker works on. */
    RunHub hub() {
        return hub;
    }

    /**
     * Ends in order: asks for no more work; a training in progress writes a checkpoint and is gone on with by another worker,
     * or by this one when it is back.
     */
    public void shutdown(Duration patience) {
        factory.shutdownNow();
        factory.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        shutdown(Duration.ofSeconds(90));
    }
}
