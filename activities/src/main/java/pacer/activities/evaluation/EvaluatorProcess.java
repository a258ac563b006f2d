package pacer.activities.evaluation;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import pacer.activities.process.Child;
import pacer.activities.process.ChildGroup;
import pacer.activities.process.Silence;
import pacer.activities.process.TrainerExit;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageFailure;
import pacer.activities.run.StoppedException;
import pacer.trainer.Trainer;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/**
 * Measures a checkpoint in a process of its own, or one that stands by: {@code pacer.trainer.Evaluator --spec FILE --data DIR --checkpoint DIR}
 * writes one {@code validated} event, one {@code hellaswag} where the spec measures that, and its number of {@code sampled} ones to its standard output; standard input and
 * exit codes are a trainer's.
 *
 * @param log where its standard error is appended
 */
public record EvaluatorProcess(EvaluationSettings settings, Path cache, Path log) {
    private static final int LAST_WORDS = 5;

    /** What it told. */
    public record Told(
            TrainingEvent.Validated measured,
            Optional<TrainingEvent.HellaSwag> hellaSwag,
            List<TrainingEvent.Sampled> samples) {}

    /**
     * HellaSwag's examples.
     *
     * @param file where they are
     * @param answers where what was chosen for each is written; null for nowhere
     */
    public record Examples(Path file, Path answers) {}

    /**
     * Measures {@code checkpoint} on the dataset in the folder {@code data}, as {@code spec} says.
     *
     * @param examples HellaSwag's, where the spec measures them
     *
     * @param listener hears each event as it comes, on a thread of its own
     * @throws StageFailure when it told no loss, with its reason; no retry helps where it refused its input
     * @throws StoppedException when {@code context} said so
     */
    public Told measure(
            Path spec,
            Path data,
            Path checkpoint,
            Optional<Examples> examples,
            StageContext context,
            Consumer<TrainingEvent> listener)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(
                "--spec", spec.toString(),
                "--data", data.toString(),
                "--cache", cache.toString(),
                "--checkpoint", checkpoint.toString()));
        examples.ifPresent(asked -> {
            arguments.addAll(List.of("--hellaswag", asked.file.toString()));
            if (asked.answers != null) {
                arguments.addAll(List.of("--answers", asked.answers.toString()));
            }
        });
        List<TrainingEvent> events = new CopyOnWriteArrayList<>();
        Silence silence = new Silence();
        Child child = start(arguments, line -> {
            silence.broken();
            hear(line, events, listener);
        });
        ChildGroup.End end = new ChildGroup(List.of(child), settings.grace())
                .await(context, () -> silence.isLongerThan(settings.stall()));
        List<TrainingEvent.Validated> measured = only(TrainingEvent.Validated.class, events);
        if (end.unfit() != null) {
            throw StageFailure.ofHost(end.unfit(), "the evaluator was killed");
        }
        if (end.code() != 0 || measured.isEmpty()) {
            context.check();
            if (end.hung()) {
                throw new StageFailure(
                        "the evaluator was killed: nothing heard of it for "
                                + settings.stall().toSeconds() + " s",
                        true);
            }
            throw failure(end.code(), child, events);
        }
        return new Told(
                measured.getFirst(),
                only(TrainingEvent.HellaSwag.class, events).stream().findFirst(),
                only(TrainingEvent.Sampled.class, events));
    }

    /** The process that trained, where it stands by for more: its kernels are compiled. */
    private Child start(List<String> arguments, Consumer<String> lines) throws IOException, InterruptedException {
        Optional<Child> waiting = settings.standby().isPresent()
                ? settings.standby().get().take(Trainer.EVALUATE, arguments, log, lines)
                : Optional.empty();
        return waiting.isPresent()
                ? waiting.get()
                : Child.start(settings.java().line(settings.evaluator(), arguments), Map.of(), log, lines);
    }

    private static void hear(String line, List<TrainingEvent> events, Consumer<TrainingEvent> listener) {
        try {
            TrainingEvent event = EventLog.parse(line);
            events.add(event);
            listener.accept(event);
        } catch (IOException e) {
            return; // a library printing
        }
    }

    private static StageFailure failure(int code, Child child, List<TrainingEvent> events) {
        List<String> told = only(TrainingEvent.Failed.class, events).stream()
                .map(TrainingEvent.Failed::reason)
                .toList();
        List<String> reasons = told.isEmpty() ? child.lastWords(LAST_WORDS) : told;
        TrainerExit exit = TrainerExit.of(code);
        String how = exit == TrainerExit.FINISHED ? "told no validation loss" : exit.said(code);
        // no refusal of what the user gave: that would have come from the trainer; a damaged checkpoint is mended by
        // going on
        return new StageFailure(
                "the evaluator " + how + (reasons.isEmpty() ? "" : ": " + String.join(" | ", reasons)),
                exit != TrainerExit.BAD_INPUT);
    }

    private static <E extends TrainingEvent> List<E> only(Class<E> kind, List<TrainingEvent> events) {
        return events.stream().filter(kind::isInstance).map(kind::cast).toList();
    }
}
