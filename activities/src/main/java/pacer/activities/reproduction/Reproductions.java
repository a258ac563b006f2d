package pacer.activities.reproduction;

import java.io.IOException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Environment;
import pacer.activities.run.Home;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.training.TrainingResult;

/**
 * Compares a finished run with the earlier ones of the same settings on this host. The same settings give the same bits on the same kind of
 * machine, so a loss that is another one, be it by the last digit, means that the code or the machine changed.
 */
public final class Reproductions {
    /** Speeds of fewer runs are no habit: one may have been beside another program. */
    private static final int USUAL = 3;

    private final Home home;

    public Reproductions(Home home) {
        this.home = home;
    }

    /**
     * Compares the run {@code id}.
     *
     * @throws BadInputException when it is not finished
     */
    public Reproduction compare(String id) throws IOException {
        RunRecord run = home.run(id).read();
        if (run.status() != RunStatus.FINISHED || run.verdict() == null) {
            throw new BadInputException("run " + id + " is not finished: nothing to compare");
        }
        List<RunRecord> before = before(run);
        double loss = loss(run);
        Double drift = before.isEmpty() ? null : loss - loss(before.getFirst());
        int same = 0;
        while (same < before.size() && equalBits(loss(before.get(same)), loss)) {
            same++;
        }
        RunRecord firstOfThese = same == 0 ? run : before.get(same - 1);
        boolean changed = same < before.size();
        Double speed = speed(run, before);
        return new Reproduction(
                id,
                run.verdict().passed(),
                loss,
                run.verdict().expected(),
                tokensPerSecond(run),
                before.size(),
                drift,
                same,
                changed ? firstOfThese.environment().commit() : null,
                changed ? firstOfThese.created() : null,
                speed,
                text(run, before, same, changed ? firstOfThese : null, speed));
    }

    /** Finished runs of the same settings before {@code run}, the newest first. */
    private List<RunRecord> before(RunRecord run) throws IOException {
        return new RunIndex(home.runs())
                .list().stream()
                        .map(RunIndex.Entry::record)
                        .filter(r -> r.status() == RunStatus.FINISHED && !r.id().equals(run.id()))
                        .filter(r -> r.specHash().equals(run.specHash()) && r.lastStep() == null)
                        .filter(r -> r.created().isBefore(run.created()))
                        .toList();
    }

    private static double loss(RunRecord run) {
        return run.stage(Stage.EVALUATE)
                .map(stage -> stage.resultAs(EvaluationResult.class).validationLoss())
                .orElse(Double.NaN);
    }

    private static double tokensPerSecond(RunRecord run) {
        return run.stage(Stage.TRAIN)
                .map(stage -> stage.resultAs(TrainingResult.class).tokensPerSecond())
                .orElse(Double.NaN);
    }

    private static boolean equalBits(double a, double b) {
        return Double.doubleToLongBits(a) == Double.doubleToLongBits(b);
    }

    private static Double speed(RunRecord run, List<RunRecord> before) {
        double[] others = before.stream()
                .filter(r -> sameMachine(r.trainedIn(), run.trainedIn()))
                .mapToDouble(Reproductions::tokensPerSecond)
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        return others.length < USUAL ? null : tokensPerSecond(run) / others[others.length / 2];
    }

    private static boolean sameMachine(Environment a, Environment b) {
        return a.cpu().equals(b.cpu()) && a.cores() == b.cores();
    }

    private static String text(RunRecord run, List<RunRecord> before, int same, RunRecord changed, Double speed) {
        List<String> parts = new ArrayList<>();
        parts.add(run.verdict().text());
        if (before.isEmpty()) {
            parts.add("the first of its settings on this host");
        } else if (same == before.size()) {
            parts.add("the same to the last bit as %s before".formatted(same == 1 ? "the one" : "all " + same));
        } else {
            double other = loss(before.get(same));
            parts.add(String.format(
                    Locale.ROOT,
                    "%s since %s%s; before it was %.4f, at %s",
                    same == 0 ? "another loss" : "this loss",
                    LocalDate.ofInstant(changed.created(), ZoneOffset.UTC),
                    at(changed),
                    other,
                    commit(before.get(same))));
        }
        if (speed != null) {
            parts.add(String.format(Locale.ROOT, "%.2fx the usual speed", speed));
        }
        return String.join("; ", parts);
    }

    private static String at(RunRecord run) {
        return run.environment().commit() == null ? "" : ", commit " + commit(run);
    }

    private static String commit(RunRecord run) {
        String commit = run.environment().commit();
        return commit == null ? "a commit that is not known" : commit.substring(0, Math.min(10, commit.length()));
    }
}
