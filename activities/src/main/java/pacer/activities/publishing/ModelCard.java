package pacer.activities.publishing;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import pacer.activities.publishing.report.Quantities;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.RunSpec;

/** {@code README.md} of an exported model: what it is, what it was trained on, how it is used. */
final class ModelCard {
    private ModelCard() {}

    static String text(TrainingState state, ModelSpec model, Optional<RunSpec> run, boolean gpt2) {
        List<String> lines = new ArrayList<>();
        lines.add("---");
        if (gpt2) {
            lines.add("library_name: transformers");
        }
        lines.addAll(List.of("pipeline_tag: text-generation", "tags:", "- pacer", "---", ""));
        lines.add("# "
                + run.map(spec -> spec.name() + ", step " + Quantities.grouped(state.step()))
                        .orElse("A GPT trained with pacer"));
        lines.add("");
        run.map(RunSpec::description)
                .filter(text -> !text.isBlank())
                .ifPresent(text -> lines.addAll(List.of(escaped(text) + ".", "")));
        lines.addAll(List.of("| | |", "|---|---|"));
        row(lines, "parameters", Quantities.grouped(model.parameters()));
        row(
                lines,
                "network",
                "%d layers, %d heads, %d wide, context %s, vocabulary %s%s"
                        .formatted(
                                model.layers(),
                                model.heads(),
                                model.width(),
                                Quantities.grouped(model.sequenceLength()),
                                Quantities.grouped(model.vocabulary()),
                                gpt2 ? "" : "; no GPT-2: `config.json` has every switch"));
        row(lines, "tokenizer", state.tokenizer() == DatasetSpec.Tokenizer.GPT2 ? "GPT-2's" : "a token a character");
        run.ifPresent(spec -> training(lines, state, spec));
        if (state.validationLoss() != null) {
            row(
                    lines,
                    "validation loss",
                    "%s nats a token".formatted(String.format(Locale.ROOT, "%.4f", state.validationLoss())));
        }
        row(lines, "spec hash", code(state.specHash()));
        row(lines, "dataset", code(state.dataset()));
        row(lines, "commit of pacer", code(state.gitCommit()));
        row(lines, "computed by", escaped(state.engine()));
        lines.addAll(List.of("", "## Use", ""));
        lines.addAll(gpt2 ? transformers() : pacer());
        lines.addAll(List.of(
                "",
                "The model continues text as its training data would. It was not tuned to follow instructions or to be safe.",
                ""));
        return String.join("\n", lines);
    }

    private static void training(List<String> lines, TrainingState state, RunSpec spec) {
        row(
                lines,
                "training",
                "%s of %s steps of %s tokens, %s, %s"
                        .formatted(
                                Quantities.grouped(state.step()),
                                Quantities.grouped(spec.train().steps()),
                                Quantities.grouped(spec.train().batchTokens()),
                                name(spec.optimizer().type()),
                                name(spec.train().precision())));
        row(lines, "text", escaped(spec.dataset().url()));
        if (spec.expectation().referenceLoss() > 0) {
            row(
                    lines,
                    "reference",
                    "%s, %s"
                            .formatted(
                                    Double.toString(spec.expectation().referenceLoss()),
                                    escaped(spec.expectation().source())));
        }
    }

    private static List<String> transformers() {
        return List.of(
                "```python",
                "from transformers import AutoModelForCausalLM, AutoTokenizer",
                "",
                "tokenizer = AutoTokenizer.from_pretrained(\"FOLDER\")",
                "model = AutoModelForCausalLM.from_pretrained(\"FOLDER\")",
                "```",
                "",
                "or `./pacer sample FOLDER`.");
    }

    private static List<String> pacer() {
        return List.of(
                "`./pacer sample FOLDER`. `transformers` has no such network; names and shapes of the tensors are those of modded-nanogpt"
                        + " where positions are rotary, else nanoGPT's, linear weights (outputs, inputs).");
    }

    private static void row(List<String> lines, String what, String value) {
        if (value != null && !value.isBlank()) {
            lines.add("| " + what + " | " + value + " |");
        }
    }

    private static String code(String value) {
        return value == null ? null : "`" + value + "`";
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /** Text that means nothing to Markdown. */
    private static String escaped(String text) {
        return text == null ? null : text.replaceAll("([\\\\`*_{}\\[\\]<>|#])", "\\\\$1");
    }
}
