package pacer.activities.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.dataset.HellaSwagFile;
import pacer.activities.process.Child;
import pacer.activities.process.ChildGroup;
import pacer.activities.process.TrainerExit;
import pacer.activities.run.BadInputException;
import pacer.activities.run.CacheUse;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageFailure;
import pacer.activities.staging.Staging;
import pacer.activities.store.StoredRuns;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Host;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;

/**
 * Ranks of a run whose folder is on another host. They need the dataset and the spec; checkpoints, events and everything else of the run are the
 * affair of rank 0 and its host.
 */
public final class HostRanks {
    private static final int LAST_WORDS = 5;
    private static final Duration STILL_IN_USE = Duration.ofHours(1);

    private final Home home;
    private final TrainingSettings settings;
    private final TrainerLauncher launcher;
    private final Optional<StoredRuns> store;
    private final HellaSwagFile hellaSwag;

    /** @param fetching how examples are fetched */
    public HostRanks(Home home, TrainingSettings settings, Optional<StoredRuns> store, FetchSettings fetching) {
        this.home = home;
        this.settings = settings;
        this.launcher = new TrainerLauncher(home, settings);
        this.store = store;
        this.hellaSwag = new HellaSwagFile(home.downloads(), fetching, Clock.systemUTC());
    }

    /**
     * Whether ranks can be here that others reach.
     *
     * @throws BadInputException where none can
     * @throws StageFailure where none can for now
     */
    public void requireAble(StageContext context) throws IOException {
        Optional<String> unfit = context.unfit();
        if (unfit.isPresent()) {
            throw drained(unfit.get(), "no ranks begin here");
        }
        String _ = settings.requireAddress();
    }

    /**
     * Runs this host's ranks to their end.
     *
     * @throws StageFailure when one failed
     * @throws DamagedDataException when a staged shard is not what it was; staging again mends that
     */
    public void train(RanksRequest request, StageContext context) throws IOException, InterruptedException {
        requireAble(context);
        Meeting meeting = request.meeting();
        Path place =
                home.cache().resolve("ranks").resolve(home.run(request.run()).id());
        DurableFiles.deleteTree(place); // of an attempt whose worker was killed
        Files.createDirectories(place);
        try {
            RunFolder folder = new RunFolder(place);
            Files.write(folder.preset(), meeting.spec().getBytes(StandardCharsets.UTF_8));
            RunSpec spec = SpecLoader.read(folder.preset());
            String token = store.orElseThrow().rendezvousToken(request.run(), meeting.epoch(), context);
            run(request, folder, spec, token, context);
        } finally {
            DurableFiles.deleteTree(place);
        }
    }

    private void run(RanksRequest request, RunFolder folder, RunSpec spec, String token, StageContext context)
            throws IOException, InterruptedException {
        Path data = Staging.folder(home, request.dataset());
        TrainerLauncher.Placement placement = new TrainerLauncher.Placement(
                request.firstRank(),
                spec.train().ranksPerHost(),
                spec.train().ranks(),
                token,
                request.meeting().rendezvous(),
                Optional.of(settings.requireAddress()));
        Optional<Path> examples = spec.hellaSwag().everySteps() == 0
                ? Optional.empty()
                : Optional.of(hellaSwag.bring(spec.hellaSwag(), home.run(request.run()), context));
        List<Child> ranks = launcher.start(
                folder,
                data,
                Optional.empty(), // rank 0 passes them on
                examples,
                placement,
                request.meeting().lastStep(),
                request.meeting().epoch(),
                null,
                (rank, line) -> {});
        ChildGroup.End end;
        try {
            KeptInUse kept = new KeptInUse(request);
            end = new ChildGroup(ranks, settings.grace()).await(context, () -> {
                kept.look();
                return false; // whether they hang is for rank 0's host to find
            });
        } finally {
            ranks.forEach(Child::kill);
        }
        if (end.code() == 0) {
            return;
        }
        if (end.unfit() != null) {
            throw drained(end.unfit(), "its ranks were killed");
        }
        context.check(); // told to stop: whatever the exit code, that is why
        TrainerExit exit = TrainerExit.of(end.code());
        String told = "trainer rank %d, on host %s, %s: %s"
                .formatted(
                        request.firstRank() + end.rank(),
                        Host.name(),
                        exit.said(end.code()),
                        String.join(" | ", ranks.get(end.rank()).lastWords(LAST_WORDS)));
        if (exit == TrainerExit.BAD_INPUT) {
            Staging.prove(
                    home,
                    request.dataset(),
                    (bytes, all) -> context.check()); // it may have been no fault of the settings
            throw StageFailure.refused(told);
        }
        throw new StageFailure(told, true);
    }

    /** The run's folder, by which others know what is in use, is not here: so it is said now and then that the dataset is. */
    private final class KeptInUse {
        private final RanksRequest request;
        private long said = System.nanoTime();

        KeptInUse(RanksRequest request) {
            this.request = request;
        }

        void look() {
            if (System.nanoTime() - said > STILL_IN_USE.toNanos()) {
                said = System.nanoTime();
                try {
                    CacheUse.by(home.run(request.run()), Staging.folder(home, request.dataset()));
                } catch (IOException e) {
                    return; // training has its files open; without them the next attempt stages them anew
                }
            }
        }
    }

    /** Worth another attempt, of other hosts: a drained one lends no slot. */
    private static StageFailure drained(String why, String what) {
        return new StageFailure("host %s is drained, %s; %s".formatted(Host.name(), why, what), true);
    }
}
