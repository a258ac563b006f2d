package pacer.activities.sweep;

import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.publishing.report.Series;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunId;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Slots;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.SweepRequest;
import pacer.activities.training.TrainingResult;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Host;
import pacer.trainer.event.TrainingEvent.Validated;

/** Sweeps on this host: settled before their first run, and written down in a folder beside the runs'. */
public final class Sweeps {
    /** What is known of a sweep, for scripts and to go on with it. */
    public static final String FILE = "sweep.json";

    /** The page that compares its points. */
    public static final String PAGE = "sweep.html";

    /** With their curves they fit in one of Temporal's payloads, which is 2 MB. */
    private static final int MOST_RUNS = 500;

    private static final int MOST_TRAINING = 32;
    private static final int MOST_VALIDATIONS = 48;
    private static final double DECIMALS = 1e5;

    private static final long LEAST_WAIT_MILLIS = 500;

    /** Reading a run's events takes this share of the time at most. */
    private static final int SHARE = 20;

    /** Of so many validations that are known, one more is not worth a look. */
    private static final int SOME = 20;

    private final Home home;
    private final Slots slots;

    /** @param slots for who does not say how many runs work at a time */
    public Sweeps(Home home, Slots slots) {
        this.home = home;
        this.slots = slots;
    }

    /**
     * Settles a sweep, or reads one that is to be gone on with.
     *
     * @param workflow that asks; names a new sweep
     * @return its plan, and those of its runs that need not be done again
     * @throws BadInputException with all faults, of all points
     */
    public SweepState open(SweepRequest request, String workflow) throws IOException {
        if (request == null) {
            throw new BadInputException("preset: missing; give a preset's name, {\"preset\": \"quickstart\"}");
        }
        if (!request.faults().isEmpty()) {
            throw new BadInputException(String.join("\n", request.faults()));
        }
        SweepState state = request.sweep() != null
                ? goOn(request)
                : new SweepState(settle(request, RunId.ofWorkflow(workflow, "sweep")), List.of());
        Path _ = write(SweepResult.of(state.plan(), state.runs(), null));
        return state;
    }

    /**
     * Refuses what {@link #open} would refuse wherever it is done.
     *
     * @param here whether this machine is the one that trains
     * @throws BadInputException with all faults, of all points
     */
    public static void check(SweepRequest request, boolean here) throws IOException {
        SweepPlan _ = settle(request, "sweep", () -> 1, here);
    }

    private SweepPlan settle(SweepRequest request, String id) throws IOException {
        return settle(request, id, slots, true);
    }

    private static SweepPlan settle(SweepRequest request, String id, Slots slots, boolean here) throws IOException {
        List<String> faults = new ArrayList<>(SweepPoints.shape(request));
        boolean sound = faults.isEmpty();
        int seeds = request.seeds() == null ? 1 : request.seeds();
        int points = SweepPoints.count(request);
        if (seeds < 1) {
            faults.add("seeds: %d, must be 1 or more".formatted(seeds));
        } else if (sound && (long) points * seeds > MOST_RUNS) {
            faults.add("%,d points of %d seeds are %,d runs; a sweep has at most %d: make several"
                    .formatted(points, seeds, (long) points * seeds, MOST_RUNS));
        } else if (sound && points * seeds < 2) {
            faults.add(
                    "one run is no sweep; vary a setting (--vary optimizer.learningRate=1e-3,3e-3, or {\"vary\": {\"optimizer.learningRate\": [0.001, 0.003]}}), or give more seeds");
        }
        if (request.parallel() != null && request.parallel() < 1) {
            faults.add("parallel: %d, must be 1 or more".formatted(request.parallel()));
        }
        Integer from = request.stopEarly();
        if (from != null && from < 1) {
            faults.add(
                    "stopEarly: %d, must be 1 or more: from which validation on a run may be stopped".formatted(from));
        } else if (from != null && sound && points <= MedianRule.LEAST_OTHERS) {
            faults.add(
                    "stopEarly: of %d points none can be judged by the median of %d others; give more points, or none of it"
                            .formatted(points, MedianRule.LEAST_OTHERS));
        }
        SweepPoints.Settled settled = null;
        if (sound && points <= MOST_RUNS) {
            try {
                settled = SweepPoints.settle(request, here);
            } catch (BadInputException e) {
                faults.add(e.getMessage());
            }
        }
        if (!faults.isEmpty()) {
            throw new BadInputException(String.join("\n", faults));
        }
        long first = settled.first().seed();
        return new SweepPlan(
                id,
                Host.name(),
                request,
                settled.first().name(),
                settled.points(),
                LongStream.range(first, first + seeds).boxed().toList(),
                request.parallel() == null ? slots.count() : request.parallel(),
                from,
                settled.first().cost().dollarsPerHour(),
                caution(settled.points()));
    }

    private static String caution(List<SweepPoint> points) {
        List<String> data = points.getFirst().settings().keySet().stream()
                .filter(path -> path.startsWith("dataset."))
                .toList();
        return data.isEmpty()
                ? null
                : String.join(", ", data)
                        + (data.size() == 1 ? " varies" : " vary")
                        + ": losses of different texts or tokenizers do not compare";
    }

    /** What is finished, or was stopped as hopeless, stays; what failed gets another chance. */
    private SweepState goOn(SweepRequest request) throws IOException {
        if (request.parallel() != null && request.parallel() < 1) {
            throw new BadInputException("parallel: %d, must be 1 or more".formatted(request.parallel()));
        }
        if (request.preset() != null
                || !request.config().isEmpty()
                || !request.vary().isEmpty()
                || !request.rows().isEmpty()
                || !request.sets().isEmpty()
                || !request.overrides().isEmpty()
                || request.seeds() != null
                || request.stopEarly() != null) {
            throw new BadInputException(
                    "sweep: %s goes on as it was asked for; only budget and parallel may be given with it"
                            .formatted(request.sweep()));
        }
        SweepResult result = read(request.sweep());
        SweepPlan before = result.plan();
        SweepPlan plan = new SweepPlan(
                before.id(),
                Host.name(),
                before.request().within(request.budget(), request.parallel()),
                before.preset(),
                before.points(),
                before.seeds(),
                request.parallel() == null ? before.parallel() : request.parallel(),
                before.stopEarly(),
                before.dollarsPerHour(),
                before.caution());
        if (plan.request().budget() != null) {
            plan.request().budget().require(plan.dollarsPerHour());
        }
        return new SweepState(
                plan,
                result.runs().stream()
                        .filter(run -> run.state() != SweepRun.State.FAILED)
                        .toList());
    }

    /**
     * How the sweep {@code id} stands, as it was written down here.
     *
     * @throws BadInputException when it is not here
     */
    public SweepResult read(String id) throws IOException {
        return read(home, id);
    }

    /** The same of a sweep in {@code home}. */
    public static SweepResult read(Home home, String id) throws IOException {
        if (!RunId.isOne(id)) {
            throw new BadInputException("sweep '%s': no name of a sweep".formatted(id));
        }
        Path file = home.runs().resolve(id).resolve(FILE);
        try {
            return RunJson.MAPPER.readValue(Files.readAllBytes(file), SweepResult.class);
        } catch (NoSuchFileException e) {
            throw new BadInputException(
                    "sweep %s: there is no %s on host %s; go on with it where it was begun, or begin it anew"
                            .formatted(id, file, Host.name()),
                    e);
        }
    }

    /**
     * How the run of {@code trial} ended.
     *
     * @param stopped why the sweep asked it to stop; null where it did not
     * @throws BadInputException when it is not finished
     */
    public SweepRun read(SweepTrial trial, String stopped) throws IOException {
        RunFolder folder = home.run(trial.run());
        RunRecord run = folder.read();
        if (run.status() != RunStatus.FINISHED) {
            throw new BadInputException("run " + trial.run() + " is not finished: it has no loss to compare");
        }
        EvaluationResult evaluated = run.stage(Stage.EVALUATE).orElseThrow().resultAs(EvaluationResult.class);
        TrainingResult trained = run.stage(Stage.TRAIN).orElseThrow().resultAs(TrainingResult.class);
        RunHistory history = RunHistory.read(folder.events());
        return new SweepRun(
                        trial.number(),
                        trial.point(),
                        trial.seed(),
                        trial.run(),
                        SweepRun.State.FINISHED,
                        evaluated.validationLoss(),
                        trained.steps(),
                        trained.tokensPerSecond(),
                        run.secondsSpent(),
                        null,
                        Mark.some(training(history), MOST_TRAINING),
                        Mark.some(validations(history), MOST_VALIDATIONS))
                .stopped(stopped, trial.steps());
    }

    private static List<Mark> training(RunHistory history) {
        Series loss = history.loss();
        Series calm = loss.smoothed(loss.size() < 2 * MOST_TRAINING ? 0 : loss.size() / (2 * MOST_TRAINING));
        List<Mark> marks = new ArrayList<>();
        for (int i = 0; i < calm.size(); i++) {
            marks.add(mark((int) calm.x()[i], calm.y()[i]));
        }
        return marks;
    }

    private static List<Mark> validations(RunHistory history) {
        return history.validations().stream()
                .map((Validated v) -> mark(v.step(), v.loss()))
                .toList();
    }

    /** Rounded: hundreds of runs' curves go through one payload. */
    private static Mark mark(int step, double loss) {
        return new Mark(step, Double.isFinite(loss) ? Math.round(loss * DECIMALS) / DECIMALS : loss);
    }

    /**
     * Waits for validations of the run {@code id} beyond {@code known} of them: for one, later for some at once, as each look is in a history that holds 51,200
     * events.
     *
     * @return those; none when its training is over
     */
    public List<Mark> validations(String id, int known, StageContext context) throws IOException, InterruptedException {
        RunFolder folder = home.run(id);
        long read = -1;
        while (true) {
            RunRecord run = folder.read(); // before its events: what ends the wait is told after them
            long size = Files.exists(folder.events()) ? Files.size(folder.events()) : 0;
            long began = System.nanoTime();
            if (size != read) {
                List<Mark> all = validations(RunHistory.read(folder.events()));
                if (all.size() >= known + Math.max(1, known / SOME)) {
                    return all.subList(known, all.size());
                }
                read = size;
            }
            if (run.status() != RunStatus.RUNNING) {
                return List.of(); // whoever would judge what is left could stop nothing
            }
            long took = (System.nanoTime() - began) / 1_000_000;
            context.check();
            Thread.sleep(Math.max(LEAST_WAIT_MILLIS, SHARE * took));
        }
    }

    /** Adds a run that ended to what is written down of the sweep {@code id}. */
    public void note(String id, SweepRun ended) throws IOException {
        SweepResult before = read(id);
        List<SweepRun> runs = new ArrayList<>(before.runs());
        runs.removeIf(run -> run.number() == ended.number());
        runs.add(ended);
        runs.sort(Comparator.comparing(SweepRun::number));
        Path _ = write(SweepResult.of(before.plan(), runs, null));
    }

    /**
     * Writes how a sweep stands: {@code sweep.json}, {@code sweep.md} and the page. Doing it again comes to the same.
     *
     * @return the folder
     */
    public Path write(SweepResult result) throws IOException {
        Path folder = home.runs().resolve(RunId.check(result.plan().id()));
        Files.createDirectories(folder);
        DurableFiles.write(
                folder.resolve(FILE),
                RunJson.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(result));
        DurableFiles.write(
                folder.resolve("sweep.md"), SweepPage.markdown(result).getBytes(StandardCharsets.UTF_8));
        DurableFiles.write(folder.resolve(PAGE), SweepPage.html(result).getBytes(StandardCharsets.UTF_8));
        return folder;
    }
}
