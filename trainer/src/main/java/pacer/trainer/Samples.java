package pacer.trainer;

import pacer.trainer.eval.Sampler;
import pacer.trainer.eval.TextModel;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SampleSpec;

/** Text as the spec's sample section asks for it. */
final class Samples {

    private Samples() {}

    /** Sample {@code number} of the spec's prompt, without the prompt. */
    static String write(TextModel model, RunSpec spec, int number) {
        SampleSpec sample = spec.sample();
        Sampler.Settings settings = new Sampler.Settings(sample.temperature(), sample.topK(), spec.seed());
        return model.write(sample.prompt(), sample.tokens(), settings, number, piece -> {});
    }
}
