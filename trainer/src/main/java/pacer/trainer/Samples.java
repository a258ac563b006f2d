package pacer.trainer;

import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.data.BadDataException;
import pacer.trainer.eval.NoNumbersException;
import pacer.trainer.eval.Sampler;
import pacer.trainer.eval.TextModel;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SampleSpec;
import pacer.trainer.text.DatasetManifest;

/** Text as the spec's sample section asks for it. */
public final class Samples {

    private Samples() {}

    /**
     * Refuses a prompt that the dataset's vocabulary cannot spell, where samples are asked for. GPT-2's tokens spell any text; a
     * vocabulary of characters has only those of its dataset.
     *
     * @throws BadDataException naming the setting and the character
     */
    public static void requirePrompt(SampleSpec sample, DatasetManifest manifest) {
        boolean samples = sample.count() > 0 || sample.everySteps() > 0;
        if (!samples || manifest.tokenizer() != DatasetSpec.Tokenizer.CHARACTERS) {
            return;
        }
        try {
            manifest.tokens().encodePrompt(sample.prompt());
        } catch (BadDataException e) {
            throw new BadDataException(
                    "sample.prompt: " + InvalidFileException.quote(sample.prompt())
                            + ": must be of the dataset's characters: " + e.getMessage(),
                    e);
        }
    }

    /**
     * Tells {@code events} sample {@code number} of the spec's prompt, or, in a notice, that a model without numbers writes none: what
     * that means is for those who know its loss to say.
     *
     * @param written hears how many tokens there are
     * @return whether there is one
     */
    static boolean tell(
            TextModel model,
            RunSpec spec,
            int step,
            int number,
            IntConsumer written,
            Consumer<? super TrainingEvent> events) {
        try {
            String text = write(model, spec, number, written);
            events.accept(
                    new TrainingEvent.Sampled(Instant.now(), step, spec.sample().prompt(), text));
            return true;
        } catch (NoNumbersException e) {
            events.accept(new TrainingEvent.Notice(Instant.now(), step, "no sample: " + e.getMessage()));
            return false;
        }
    }

    /** Sample {@code number} of the spec's prompt, without the prompt. */
    static String write(TextModel model, RunSpec spec, int number, IntConsumer written) {
        SampleSpec sample = spec.sample();
        Sampler.Settings settings = new Sampler.Settings(sample.temperature(), sample.topK(), spec.seed());
        int[] pieces = {0};
        // a piece, perhaps an empty one, for each token, and one at the end
        return model.write(
                sample.prompt(),
                sample.tokens(),
                settings,
                number,
                piece -> written.accept(Math.min(++pieces[0], sample.tokens())));
    }
}
