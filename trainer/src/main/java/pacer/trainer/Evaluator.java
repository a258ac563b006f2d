package pacer.trainer;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.eval.HellaSwag;
import pacer.trainer.eval.TextModel;
import pacer.trainer.eval.ValidationLoss;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Working.Phase;
import pacer.trainer.model.Replica;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;

/**
 * Measures a checkpoint, as a process: one {@code validated} event, one {@code hellaswag} where the spec measures that, then as many
 * {@code sampled} ones as it says.
 *
 * <pre>--spec FILE --data DIR --checkpoint DIR [--cache DIR] [--hellaswag FILE [--answers FILE]]</pre>
 *
 * {@code --answers}: where what was chosen for each example is written, one JSON object a line.
 */
public final class Evaluator {

    private Evaluator() {}

    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT); // files and messages are the same wherever they are written
        ProcessLife.run(life -> evaluate(args, life, () -> {}));
    }

    /** @param ready as a trainer calls it */
    static int evaluate(String[] args, ProcessLife life, Runnable ready) throws IOException {
        Arguments arguments = Arguments.parse(
                "evaluator",
                args,
                List.of("spec", "data", "checkpoint"),
                List.of("cache", Trainer.HELLASWAG, "answers"));
        RunSpec spec = SpecLoader.read(Path.of(arguments.text("spec")));
        // of a damaged one, what is measured would be another model
        Checkpoint checkpoint = Checkpoint.openSound(Path.of(arguments.text("checkpoint")));
        int step = checkpoint.state().step();
        int sequences = spec.sequencesAtOnce();
        ready.run();
        SignsOfLife events = new SignsOfLife(life::say, System::nanoTime);
        try (Dataset dataset = Dataset.open(Path.of(arguments.text("data")), spec);
                Replica replica = Trainer.engine(spec, arguments)
                        .open(spec.model(), sequences, spec.model().sequenceLength(), false)) {
            RunCheckpoints.loadWeights(checkpoint, replica);
            replica.setProgress(spec.train().progress(step));
            if (dataset.hasValidation()) {
                Dataset.ValidationWindows windows = dataset.validation(step);
                double loss = new ValidationLoss(replica, new SoloCollectives())
                        .measure(
                                windows.loader(),
                                windows.first(),
                                windows.windows(),
                                () -> false,
                                done -> events.worked(step, Phase.VALIDATION, done, windows.windows()))
                        .orElseThrow();
                long tokens = windows.windows() * spec.model().sequenceLength();
                events.accept(new TrainingEvent.Validated(Instant.now(), step, loss, tokens, false));
            }
            Optional<HellaSwag> hellaSwag = Trainer.hellaSwag(spec, arguments, dataset);
            if (hellaSwag.isPresent()) {
                ask(hellaSwag.get(), replica, step, arguments.text("answers"), events);
            }
            // the loss, which was told, says as much where there is no sample: the verdict is for whoever compares it
            sample(TextModel.of(replica, dataset.manifest().tokens()), spec, step, events);
            return ProcessLife.FINISHED;
        }
    }

    private static void ask(HellaSwag hellaSwag, Replica replica, int step, String file, SignsOfLife events)
            throws IOException {
        List<HellaSwag.Answer> answers = new ArrayList<>();
        int right = hellaSwag
                .measure(
                        replica,
                        new SoloCollectives(),
                        () -> false,
                        done -> events.worked(step, Phase.HELLASWAG, done, hellaSwag.count()),
                        answers::add)
                .orElseThrow();
        if (file != null) {
            HellaSwag.write(answers, Path.of(file));
        }
        events.accept(TrainingEvent.HellaSwag.of(Instant.now(), step, right, hellaSwag.count()));
    }

    private static void sample(TextModel model, RunSpec spec, int step, SignsOfLife events) {
        long all = (long) spec.sample().count() * spec.sample().tokens();
        boolean more = true;
        for (int number = 0; more && number < spec.sample().count(); number++) {
            long before = (long) number * spec.sample().tokens();
            more = Samples.tell(
                    model,
                    spec,
                    step,
                    number,
                    tokens -> events.worked(step, Phase.SAMPLING, before + tokens, all),
                    events);
        }
    }
}
