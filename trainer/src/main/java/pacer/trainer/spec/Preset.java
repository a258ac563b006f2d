package pacer.trainer.spec;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A preset that comes with pacer.
 *
 * @param header the lines of its header comment: what it is, then {@code label: text} with source, parameters, tokens,
 *     expected time and loss
 */
public record Preset(RunSpec spec, List<String> header) {

    private static final Pattern FACT = Pattern.compile("([a-z]+): +(.+)");

    public String name() {
        return spec.name();
    }

    public String description() {
        return spec.description();
    }

    /** Weights and biases of the model, with the vocabulary of the preset's own text. */
    public long parameters() {
        Matcher digits = Pattern.compile("[0-9,]+").matcher(facts().get("parameters"));
        if (!digits.lookingAt()) {
            throw new IllegalStateException("the header of preset " + name() + " has no number of parameters");
        }
        return Long.parseLong(digits.group().replace(",", ""));
    }

    /** Tokens that the model tells apart: those of the preset's own text, by its number of parameters, where it names none. */
    public int vocabulary() {
        ModelSpec model = spec.model();
        if (model.vocabulary() > 0) {
            return model.vocabulary();
        }
        long none = model.parameters();
        return Math.toIntExact((parameters() - none) / (model.withVocabulary(1).parameters() - none));
    }

    /** Tokens seen in training. */
    public long tokens() {
        return (long) spec.train().steps() * spec.train().batchTokens();
    }

    /** What the header works out, by label; a fact may go on over several lines. */
    public SequencedMap<String, String> facts() {
        SequencedMap<String, String> facts = new LinkedHashMap<>();
        for (String line : header) {
            Matcher fact = FACT.matcher(line);
            if (fact.matches()) {
                facts.put(fact.group(1), fact.group(2));
            } else if (!facts.isEmpty()) {
                facts.merge(facts.lastEntry().getKey(), line, (before, more) -> before + " " + more);
            }
        }
        return facts;
    }
}
