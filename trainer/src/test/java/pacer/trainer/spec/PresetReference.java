package pacer.trainer.spec;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Writes {@code docs/presets.md} from the records, their {@link Doc}s and the presets' headers. */
final class PresetReference {

    static final String COMMAND = "mvn -q -pl trainer test -Dtest=PresetReferenceTest -Dpacer.write=true";

    private static final String INTRODUCTION = """
            # Presets and their settings

            <!-- Generated from the code; regenerate with: COMMAND -->

            A run is described by one YAML file, checked strictly before anything starts. It is put together from layers, the
            later ones standing:

            1. a **preset**: one of those below by its name, or a file of your own by its path (`./mine.yaml`);
            2. `--config FILE`: YAML files that give some of the settings;
            3. `--set model.layers=12`: single settings, their values in YAML. Text needs no quotes there
               (`--set sample.prompt=ROMEO:`); in quotes it may hold escapes (`--set 'sample.prompt="\\n"'`).

            All faults of all layers are told at once, a line each, with the place, what was found, the rule and what to do:

            ```
            mine.yaml:4:15 train.microBatch: -1, must be 1 to 1000000; give 1 or more
            --set model.layer=12: no such setting; did you mean model.layers?
            ```

            Of YAML, files take mappings and plain or quoted values, UTF-8, up to 1 MiB: no tags, anchors, aliases or further
            documents. Numbers are decimal (`1e-3` where a number is wanted, digits alone for whole numbers), `true` and `false`
            are the only booleans, and text that YAML readers disagree about (`no`, `123`) must stand in quotes.

            What is left to the machine and the dataset (threads, vocabulary, decay steps) is filled in before training; the file
            in the run's folder says everything. Its *spec hash* covers what changes the run's numbers: all settings but `name`,
            `description`, `train.recompute`, `checkpoint`, `expectation`, `cost`, `dataset.mirrors`, and `dataset.url`
            and `weights.from` where `dataset.sha256` or `weights.sha256` is given.

            """;

    private static final String CATALOGUES = """

            ## Catalogues

            Token shards that are ready: `--set dataset.url=catalogue:fineweb10B --set dataset.shards=9` takes the first nine
            training shards and the one for validation. Each is resumed by range, its header and tokens are checked, and it is
            held to its SHA-256: the one that pacer knows, else the one that it had when it was fetched first.

            """;

    private PresetReference() {}

    static String markdown() {
        StringBuilder out = new StringBuilder(INTRODUCTION.replace("COMMAND", COMMAND));
        out.append("## Presets\n\n");
        out.append("| name | what | parameters | tokens | val loss to reach | reference |\n");
        out.append("|---|---|---:|---:|---:|---|\n");
        for (Preset preset : Presets.all()) {
            ExpectationSpec expected = preset.spec().expectation();
            out.append("| `%s` | %s | %,d | %,d | %s | %s |\n"
                    .formatted(
                            preset.name(),
                            preset.description(),
                            preset.parameters(),
                            preset.tokens(),
                            expected.validationLoss() == 0 ? "" : "≤ " + expected.validationLoss(),
                            expected.referenceLoss() == 0 ? "" : expected.referenceLoss() + ", " + expected.source()));
        }
        for (Preset preset : Presets.all()) {
            out.append("\n### %s\n\n".formatted(preset.name()));
            preset.facts().forEach((label, text) -> out.append("- **%s**: %s\n".formatted(label, text)));
        }
        out.append("\n## Settings\n\nA setting without a standard must be given.\n\n");
        table(out, Schema.RUN.settings(""));
        Schema.RUN.sections().forEach((path, doc) -> {
            out.append("\n### %s\n\n%s.\n\n".formatted(path, sentence(doc.value())));
            table(out, Schema.RUN.settings(path));
        });
        out.append(CATALOGUES);
        out.append("| name | what | files | license | not verified |\n|---|---|---|---|---|\n");
        for (String name : Catalogues.NAMES) {
            Catalogue.Facts facts = Catalogues.find(name).orElseThrow().facts();
            out.append("| `%s` | %s | `%s`, `%s` | %s | %s |\n"
                    .formatted(
                            name,
                            facts.description(),
                            facts.trainFile(),
                            facts.validationFile(),
                            facts.license(),
                            facts.unverified()));
        }
        return out.toString();
    }

    private static void table(StringBuilder out, List<Setting> settings) {
        out.append("| setting | type | standard | range | meaning |\n|---|---|---|---|---|\n");
        for (Setting setting : settings) {
            out.append("| `%s` | %s | %s | %s | %s |\n"
                    .formatted(
                            setting.path(),
                            type(setting),
                            setting.standard()
                                    .map(value -> "`" + CanonicalYaml.scalar(value) + "`")
                                    .orElse(""),
                            bounded(setting) ? ScalarValue.range(setting) : "",
                            setting.doc().value()));
        }
    }

    private static String type(Setting setting) {
        return setting.type().isEnum()
                ? setting.choices().stream().map(name -> "`" + name + "`").collect(Collectors.joining(", "))
                : setting.kind().replaceFirst("^a ", "");
    }

    private static boolean bounded(Setting setting) {
        return setting.doc().min() > Double.NEGATIVE_INFINITY || setting.doc().max() < Double.POSITIVE_INFINITY;
    }

    private static String sentence(String text) {
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }
}
