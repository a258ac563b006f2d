package pacer.trainer;

import java.util.function.IntConsumer;
import pacer.trainer.eval.Sampler;
import pacer.trainer.eval.TextModel;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SampleSpec;

/** Text as the spec's sample section asks for it. */
final class Samples {

    private Samples() {}

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
