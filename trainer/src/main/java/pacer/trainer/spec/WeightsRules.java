package pacer.trainer.spec;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.trainer.spec.DatasetSpec.Tokenizer;

/** What weights to begin with must fulfil, together with the model that takes them. */
record WeightsRules(RunSpec spec, ModelRules.Require require) {
    private static final String FORMS = String.join(", ", KnownWeights.NAMES)
            + ", file:FOLDER, hf://ORGANISATION/NAME@REVISION or https://HOST/FOLDER/";
    /** A revision is a commit: a branch may hold something else tomorrow. */
    static final Pattern HUB = Pattern.compile(
            "hf://(?<name>[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})(@(?<revision>[0-9a-f]{40}))?");

    void check() {
        WeightsSpec weights = spec.weights();
        require.that(
                weights.sha256().isEmpty() || weights.sha256().matches("[0-9a-f]{64}"),
                "must be 64 hex digits, has %d characters"
                        .formatted(weights.sha256().length()),
                "copy what `sha256sum config.json model*.safetensors | sha256sum` prints",
                "weights.sha256");
        require.that(
                weights.given() || weights.sha256().isEmpty(),
                "is of weights that weights.from names",
                "give weights.from, or delete it",
                "weights.sha256",
                "weights.from");
        if (!weights.given()) {
            return;
        }
        fault(weights).ifPresent(fault -> {
            String[] parts = fault.split("; ", 2);
            require.that(false, parts[0], parts[1], "weights.from", "weights.sha256");
        });
        ModelSpec model = spec.model();
        require.that(
                model.equalsGpt2() && model.bias(),
                "are of GPT-2's network with biases, and model is another",
                "give model.bias true and none of norm, embeddingNorm, softcap, attention and stream",
                "weights.from",
                "model.bias",
                "model.norm",
                "model.softcap");
        KnownWeights.find(weights.from()).ifPresent(this::shape);
    }

    /** A loss of a few nats more, or a message after a download, would be late. */
    private void shape(KnownWeights known) {
        ModelSpec model = spec.model();
        KnownWeights.Facts facts = known.facts();
        require.that(
                model.layers() == facts.layers() && model.heads() == facts.heads() && model.width() == facts.width(),
                "needs model.layers %d, model.heads %d and model.width %d; here they are %d, %d and %d"
                        .formatted(
                                facts.layers(),
                                facts.heads(),
                                facts.width(),
                                model.layers(),
                                model.heads(),
                                model.width())
                        .replace(";", ","),
                "give these",
                "weights.from",
                "model.layers",
                "model.heads",
                "model.width");
        require.that(
                spec.dataset().tokenizer() == Tokenizer.GPT2,
                "knows GPT-2's tokens, and dataset.tokenizer makes others",
                "give dataset.tokenizer gpt2",
                "weights.from",
                "dataset.tokenizer");
    }

    private static Optional<String> fault(WeightsSpec weights) {
        String from = weights.from();
        if (KnownWeights.NAMES.contains(from)) {
            return Optional.empty();
        }
        if (from.startsWith("file:")) {
            return DatasetUrl.fault(from);
        }
        if (from.startsWith("hf:")) {
            Matcher hub = HUB.matcher(from);
            if (!hub.matches()) {
                return Optional.of("names no model of the hub; write hf://ORGANISATION/NAME@REVISION");
            }
            return hub.group("revision") == null && weights.sha256().isEmpty()
                    ? Optional.of(
                            "may hold something else tomorrow; add @ and its 40 hex digits of revision, or give weights.sha256")
                    : Optional.empty();
        }
        if (from.startsWith("https:")) {
            return weights.sha256().isEmpty()
                    ? Optional.of(
                            "weights.sha256 must be given for https, so that every run begins with the same weights; give what `sha256sum config.json model*.safetensors | sha256sum` prints")
                    : DatasetUrl.fault(from);
        }
        return Optional.of("no such weights; "
                + Nearest.among(from, KnownWeights.NAMES)
                        .map(near -> near.question() + " ")
                        .orElse("")
                + "write " + FORMS);
    }
}
