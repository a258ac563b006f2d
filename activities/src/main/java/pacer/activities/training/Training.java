package pacer.activities.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import pacer.activities.process.Child;
import pacer.activities.process.ChildGroup;
import pacer.activities.process.TrainerExit;
import pacer.activities.run.BadInputException;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Environment;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageFailure;
import pacer.activities.run.StageLog;
import pacer.activities.run.StageResult;
import pacer.activities.run.StoppedException;
import pacer.activities.staging.Staging;
import pacer.activities.store.CheckpointUploads;
import pacer.activities.store.StoredRuns;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.data.BadDataException;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.ProcessIdentity;
import pacer.trainer.durable.Sha256;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecException;
import pacer.trainer.spec.SpecHash;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;
import pacer.trainer.text.DatasetManifest;

/**
 * Trains a run: one trainer process a rank, from the newest checkpoint there is. Each attempt takes the run's next epoch, so
 * that nothing an earlier one left behind can write any more.
 */
public final class Training {
    private static final int LAST_WORDS = 5;
    private static final Duration FENCE_PATIENCE = Duration.ofSeconds(10);
    private static final Duration STOP_NEWS = Duration.ofSeconds(3);
    private static final int MOST_DOUBLINGS = 6; // of a pause of a second: a minute is long enough for what passes

    private final Home home;
    private final StageLog log;
    private final RunHub hub;
    private final Clock clock;
    private final Supplier<Environment> machine;
    private final TrainingSettings settings;
    private final TrainerLauncher launcher;
    private final CheckpointRequests requests = new CheckpointRequests();
    private final Optional<StoredRuns> store;
    private final Map<String, Untold> untold = new ConcurrentHashMap<>(); // by owner

    /**
     * Failures that {@code attempts.json} cannot tell of.
     *
     * @param step of the newest checkpoint when the last one happened
     * @param count in a row, of those at that step
     */
    private record Untold(int step, int count) {
        Untold and(Untold next) {
            return next.step > step ? next : new Untold(step, count + next.count);
        }
    }

    public Training(
            Home home,
            StageLog log,
            RunHub hub,
            Clock clock,
            Supplier<Environment> machine,
            TrainingSettings settings) {
        this(home, log, hub, clock, machine, settings, Optional.empty());
    }

    /** Training whose checkpoints are kept in {@code store} too. */
    public Training(
            Home home,
            StageLog log,
            RunHub hub,
            Clock clock,
            Supplier<Environment> machine,
            TrainingSettings settings,
            Optional<StoredRuns> store) {
        this.home = home;
        this.store = store;
        this.log = log;
        this.hub = hub;
        this.clock = clock;
        this.machine = machine;
        this.settings = settings;
        this.launcher = new TrainerLauncher(home, settings);
    }

    /**
     * Trains, or takes the result of an earlier training of the same spec on the same dataset.
     *
     * @param owner the workflow execution on whose behalf; failures are counted for each
     * @throws BadInputException when the spec does not fit the dataset
     * @throws StageFailure when the trainer failed, with its reason
     * @throws DamagedDataException when a staged shard is not what it was; staging again mends that
     * @throws StoppedException when {@code context} said so
     */
    public TrainingResult train(TrainingRequest request, String owner, StageContext context)
            throws IOException, InterruptedException {
        return train(request, owner, context, meeting -> {});
    }

    /** The same, where other hosts may take part: {@code invitation} brings them to rank 0; where it throws, the attempt has failed. */
    public TrainingResult train(
            TrainingRequest request, String owner, StageContext context, Consumer<Meeting> invitation)
            throws IOException, InterruptedException {
        return counting(request.run(), owner, () -> trainOnce(request, owner, context, invitation));
    }

    private TrainingResult trainOnce(
            TrainingRequest request, String owner, StageContext context, Consumer<Meeting> invitation)
            throws IOException, InterruptedException {
        RunFolder folder = home.run(request.run());
        Path data = Staging.folder(home, request.dataset());
        RunSpec spec = resolve(folder, Staging.manifest(home, request.dataset()));
        requireHosts(spec, request.ensemble());
        RunRecord record = folder.read();
        String key = record.lastStep() == null
                ? Sha256.ofParts("train", SpecHash.of(spec), request.dataset())
                : Sha256.ofParts("train", SpecHash.of(spec), request.dataset(), "to step " + record.lastStep());
        StageContext within = BudgetWatch.over(context, record, spec.cost().dollarsPerHour());
        Set<String> unsound = new TreeSet<>();
        AtomicBoolean trained = new AtomicBoolean();
        TrainingResult result = log.run(
                request.run(),
                Stage.TRAIN,
                key,
                TrainingResult.class,
                // the best one is what the evaluation asks for
                earlier -> {
                    findUnsound(folder, earlier.lastCheckpoint(), unsound);
                    findUnsound(folder, earlier.bestCheckpoint(), unsound);
                    return unsound.isEmpty();
                },
                within,
                () -> {
                    trained.set(true);
                    return counting(
                            request.run(),
                            owner,
                            () -> attempt(folder, request, data, spec, owner, unsound, within, invitation));
                });
        if (store.isPresent() && !trained.get()) {
            store.get().makeUp(folder, context); // the store may have been away when it was trained
        }
        return result;
    }

    private static void requireHosts(RunSpec spec, Ensemble ensemble) {
        int gathered = ensemble == null ? 1 : ensemble.hosts();
        if (spec.train().hosts() != gathered) {
            throw new BadInputException(
                    "train.hosts is %d, and %d take part: several hosts train by workers of a Temporal service"
                            .formatted(spec.train().hosts(), gathered));
        }
    }

    /**
     * Has the training of {@code run}, which is at work in this process, write a checkpoint after the step at work.
     *
     * @return its path in the run's folder, once it is written
     * @throws BadInputException when no training of it is at work here
     * @throws StageFailure when the training ended instead
     */
    public String checkpointNow(String run) throws InterruptedException {
        return requests.ask(run);
    }

    /**
     * Counts failures that {@code attempts.json} cannot tell of, as it may be what cannot be read or written, or as nobody thought of them. Those in a row that got
     * no further are limited like those of a trainer.
     */
    private <T extends StageResult> T counting(String run, String owner, StageLog.Body<T> work)
            throws IOException, InterruptedException {
        try {
            return work.run();
        } catch (IOException e) {
            if (Reasons.lasting(e)) {
                throw e;
            }
            throw untold(run, owner, e, Reasons.of(e));
        } catch (UncheckedIOException e) {
            throw untold(run, owner, e, Reasons.of(e));
        } catch (StageFailure
                | StoppedException
                | BadInputException
                | SpecException
                | BadDataException
                | DamagedDataException e) {
            throw e; // each says what it means
        } catch (RuntimeException e) {
            String kind = e.getClass().getSimpleName();
            String reason = Reasons.of(e);
            throw untold(run, owner, e, reason.contains(kind) ? reason : kind + ": " + reason);
        }
    }

    private StageFailure untold(String run, String owner, Exception e, String reason) {
        int count =
                untold.merge(owner, new Untold(newestStep(run), 1), Untold::and).count();
        boolean again = count < settings.fruitlessAttempts();
        StageFailure failure = new StageFailure(
                        again
                                ? reason
                                : "%d attempts in a row failed outside the trainer and got no further; the last: %s"
                                        .formatted(count, reason),
                        again)
                .after(pause(count));
        failure.initCause(e);
        return failure;
    }

    /** 0 where that cannot be read, which counts as no progress. */
    private int newestStep(String run) {
        try {
            return home.run(run).newestStep();
        } catch (IOException | UncheckedIOException e) {
            return 0;
        }
    }

    /** Adds a checkpoint to {@code unsound} when it is gone, or its files are not what its manifest says. */
    private static void findUnsound(RunFolder folder, String checkpoint, Set<String> unsound) {
        if (unsound.contains(checkpoint)) {
            return;
        }
        try {
            Checkpoint.openSound(folder.path().resolve(checkpoint));
        } catch (InvalidFileException e) {
            unsound.add(checkpoint);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The spec with the dataset's vocabulary, written to the run's folder. */
    private RunSpec resolve(RunFolder folder, DatasetManifest dataset) throws IOException {
        RunSpec before = SpecLoader.read(folder.preset());
        RunSpec spec;
        try {
            spec = SpecResolver.forDataset(before, dataset.vocabulary());
        } catch (SpecException e) {
            throw new BadInputException(e.getMessage(), e);
        }
        if (!spec.equals(before)) {
            DurableFiles.write(folder.preset(), CanonicalYaml.write(spec).getBytes(StandardCharsets.UTF_8));
        }
        return spec;
    }

    private TrainingResult attempt(
            RunFolder folder,
            TrainingRequest request,
            Path data,
            RunSpec spec,
            String owner,
            Set<String> unsound,
            StageContext context,
            Consumer<Meeting> invitation)
            throws IOException, InterruptedException {
        requireFit(context);
        String dataset = request.dataset();
        Attempts attempts = new Attempts(folder);
        attempts.setAsideIfDamaged(context::notice);
        if (attempts.endOrphans() > 0) {
            context.notice("processes of an earlier attempt still lived; they were ended");
        }
        if (attempts.tried(owner)) {
            prove(dataset, context); // staging did before the first attempt, which may be long ago
        }
        long elsewhere = store.isPresent() ? store.get().newestEpoch(folder, context) : 0;
        Fence fence = Fence.acquire(folder.path(), elsewhere, FENCE_PATIENCE, context::notice);
        CheckpointStore checkpoints = new CheckpointStore(folder.checkpoints(), context::notice);
        for (String checkpoint : unsound) {
            if (Files.exists(folder.path().resolve(checkpoint))) {
                checkpoints.setAside(fence, folder.path().resolve(checkpoint));
            }
        }
        if (store.isPresent()) {
            store.get().restore(folder, fence, context);
        }
        long epoch = fence.epoch();
        int from = folder.newestStep();
        if (epoch > 1 && from == 0) {
            context.notice("there is no checkpoint yet: training begins anew");
        }
        Attempts.Attempt attempt = new Attempts.Attempt(epoch, owner, from, clock.instant(), List.of(), null);
        attempts.put(attempt);
        Environment here = machine.get();
        folder.update(record -> record.trainingIn(here, from, clock.instant()));
        Optional<CheckpointUploads> uploads = store.map(runs -> runs.uploads(folder, epoch, context));
        TrainerLauncher.Placement placement = TrainerLauncher.first(
                folder,
                spec.train().ranksPerHost(),
                spec.train().ranks(),
                epoch,
                request.ensemble() == null ? Optional.empty() : Optional.of(settings.requireAddress()));
        Integer lastStep = folder.read().lastStep();
        try (Invitations invitations =
                Invitations.of(request.ensemble(), folder, epoch, placement, lastStep, store, context, invitation)) {
            return run(folder, dataset, data, placement, attempts, attempt, here, uploads, invitations, context);
        } finally {
            uploads.ifPresent(CheckpointUploads::close);
        }
    }

    private TrainingResult run(
            RunFolder folder,
            String dataset,
            Path data,
            TrainerLauncher.Placement placement,
            Attempts attempts,
            Attempts.Attempt attempt,
            Environment here,
            Optional<CheckpointUploads> uploads,
            Invitations invitations,
            StageContext context)
            throws IOException, InterruptedException {
        TrainerMonitor monitor = new TrainerMonitor(
                event -> {
                    requests.hear(folder.id(), event);
                    hub.tell(folder.id(), new RunUpdate.Trained(event));
                    if (event instanceof TrainingEvent.Checkpointed) {
                        uploads.ifPresent(CheckpointUploads::changed);
                    }
                },
                context::progress);
        List<Child> ranks;
        try {
            RunRecord record = folder.read();
            ranks = launcher.start(
                    folder,
                    data,
                    Staging.weights(record),
                    Staging.hellaSwag(record),
                    placement,
                    record.lastStep(),
                    attempt.epoch(),
                    here.commit(),
                    monitor::line);
        } catch (IOException e) {
            if (Reasons.lasting(e)) {
                throw e;
            }
            throw counted(folder, attempts, attempt, new StageFailure(Reasons.of(e), true));
        }
        Attempts.Attempt running = attempt.withProcesses(ranks.stream()
                .flatMap(rank -> ProcessIdentity.of(rank.handle()).stream())
                .toList());
        ChildGroup.End end;
        try {
            attempts.put(running);
            requests.begin(folder.id(), ranks.getFirst());
            end = new ChildGroup(ranks, settings.grace()).await(context, () -> {
                invitations.look();
                return hung(monitor);
            });
        } finally {
            requests.end(folder.id());
            ranks.forEach(Child::kill);
        }
        if (uploads.isPresent()) {
            uploads.get().finish(); // also where it failed: perhaps this host does
        }
        if (end.code() == 0 && monitor.finished().isPresent()) {
            attempts.put(running.withProcesses(List.of())); // one that stands by is none of the run's
            return TrainingSummary.read(folder);
        }
        if (end.unfit() != null) {
            String where = monitor.step().map(step -> " after step " + step).orElse(" before its first step");
            throw counted(
                    folder, attempts, running, StageFailure.ofHost(end.unfit(), "the trainer was killed" + where));
        }
        if (TrainerExit.of(end.code()) == TrainerExit.STOPPED) {
            awaitStop(context);
        }
        context.check(); // told to stop: whatever the exit code, that is why
        StageFailure failure = counted(folder, attempts, running, failure(end, ranks.get(end.rank()), monitor));
        if (end.hung()) {
            hub.tell(folder.id(), new RunUpdate.Stalled(failure.getMessage()));
        }
        if (TrainerExit.of(end.code()) == TrainerExit.BAD_INPUT) {
            prove(dataset, context); // it may have been no fault of the settings
        }
        throw failure;
    }

    private static void requireFit(StageContext context) {
        context.unfit().ifPresent(why -> {
            throw StageFailure.ofHost(why, "no training begins here");
        });
    }

    /** Writes the failure down; it is the last one when several in a row got no further. */
    private StageFailure counted(RunFolder folder, Attempts attempts, Attempts.Attempt attempt, StageFailure failure)
            throws IOException, InterruptedException {
        try {
            attempts.put(attempt.failed(failure.getMessage()));
        } catch (IOException e) {
            throw new IOException(failure.getMessage() + "; and it could not be written down: " + Reasons.of(e), e);
        }
        untold.remove(attempt.owner());
        int fruitless = attempts.fruitless(attempt.owner(), attempt.fromStep());
        return failure.retryable() && fruitless >= settings.fruitlessAttempts()
                ? new StageFailure(
                        "%d attempts in a row got no further than step %d; the last: %s"
                                .formatted(fruitless, attempt.fromStep(), failure.getMessage()),
                        false)
                : failure.after(pause(folder.newestStep() > attempt.fromStep() ? 1 : fruitless));
    }

    /** The pause before the next attempt, when so many in a row got nowhere; one that got further is gone on from at once. */
    private static Duration pause(int fruitless) {
        return Duration.ofSeconds(1L << Math.clamp(fruitless - 1L, 0, MOST_DOUBLINGS));
    }

    private void prove(String dataset, StageContext context) throws IOException, InterruptedException {
        Staging.prove(home, dataset, (bytes, all) -> {
            context.check();
            context.progress(
                    Progress.of(Stage.TRAIN, clock.instant(), (double) bytes / Math.max(1, all), "checking shards"));
        });
    }

    private boolean hung(TrainerMonitor monitor) {
        return monitor.silentFor(patience(monitor));
    }

    private Duration patience(TrainerMonitor monitor) {
        return monitor.begun() ? settings.stall() : settings.planning();
    }

    private StageFailure failure(ChildGroup.End end, Child rank, TrainerMonitor monitor) {
        String who = "trainer rank " + end.rank();
        String where = monitor.step().map(step -> " after step " + step).orElse(" before its first step");
        if (end.hung()) {
            Duration patience = patience(monitor);
            return new StageFailure(
                    "the trainer was killed" + where + ": nothing heard of it for " + patience.toSeconds() + " s"
                            + monitor.doing()
                                    .map(doing -> " (the last: " + doing + ")")
                                    .orElse("")
                            + "; where a micro-batch takes longer than that, lower train.microBatch",
                    true);
        }
        TrainerExit exit = TrainerExit.of(end.code());
        String how = exit == TrainerExit.FINISHED ? "ended without saying that it finished" : exit.said(end.code());
        String reason = monitor.failed()
                .map(TrainingEvent.Failed::reason)
                .orElseGet(() -> String.join(" | ", rank.lastWords(LAST_WORDS)));
        boolean retryable =
                switch (exit) {
                    case BAD_INPUT, FENCED -> false;
                    case FAILED ->
                        monitor.failed().map(TrainingEvent.Failed::retryable).orElse(true);
                    case FINISHED, STOPPED, KILLED -> true;
                };
        String told = who + " " + how + where + (reason.isEmpty() ? "" : ": " + reason);
        return exit == TrainerExit.BAD_INPUT ? StageFailure.refused(told) : new StageFailure(told, retryable);
    }

    /** Ctrl-C reaches the trainer at once, and this stage by way of the service. */
    private static void awaitStop(StageContext context) throws InterruptedException {
        long deadline = System.nanoTime() + STOP_NEWS.toNanos();
        while (context.stop() == StageContext.Stop.NONE && System.nanoTime() < deadline) {
            Thread.sleep(50);
        }
    }
}
