package pacer.trainer;

import java.util.function.Consumer;
import pacer.trainer.eval.Sampler;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.text.TextDecoder;
import pacer.trainer.text.Tokenizer;

/** Text written by the model as the spec's sample section says. */
final class TextSamples {
    private final RunSpec spec;
    private final Tokenizer tokenizer;
    private final Sampler sampler;

    TextSamples(RunSpec spec, Tokenizer tokenizer, Sampler sampler) {
        this.spec = spec;
        this.tokenizer = tokenizer;
        this.sampler = sampler;
    }

    /**
     * Continues {@code prompt}.
     *
     * @param number which sample
     * @param each hears the text piece by piece
     * @return the continuation, without the prompt
     * @throws pacer.trainer.data.BadDataException when the prompt has a character that the vocabulary has not
     */
    String write(String prompt, int number, Consumer<String> each) {
        StringBuilder text = new StringBuilder();
        TextDecoder decoder = new TextDecoder(tokenizer);
        Consumer<String> both = piece -> {
            text.append(piece);
            each.accept(piece);
        };
        sampler.continuing(
                tokenizer.encode(prompt),
                spec.sample().tokens(),
                new Sampler.Settings(spec.sample().temperature(), spec.sample().topK(), spec.seed()),
                number,
                tokenizer.vocabularySize(),
                token -> both.accept(decoder.next(token)));
        both.accept(decoder.end());
        return text.toString();
    }
}
