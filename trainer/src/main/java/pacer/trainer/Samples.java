package pacer.trainer;

import java.util.function.IntConsumer;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.data.BadDataException;
import pacer.trainer.eval.Sampler;
import pacer.trainer.eval.TextModel;
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
            manifest.tokens().encode(sample.prompt());
        } catch (BadDataException e) {
            throw new BadDataException(
                    "sample.prompt: " + InvalidFileException.quote(sample.prompt())
                            + ": must be of the dataset's characters: " + e.getMessage(),
                    e);
        }
    }

    /** Sample {@code number} of the spec's prompt, without the prompt; {@code written} hears how many tokens there are. */
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
