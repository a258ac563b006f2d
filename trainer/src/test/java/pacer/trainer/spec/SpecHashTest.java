package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpecHashTest {

    private static final RunSpec SPEC = SpecResolver.resolve(load(), new Processor(2, false), 78);

    private static RunSpec load(String... sets) {
        return SpecLoader.load("quickstart", List.of(), List.of(sets));
    }

    @Test
    void exactlyTheSettingsThatChangeNumbersCount() {
        TreeSet<String> counted = new TreeSet<>();
        for (Setting setting : Schema.RUN.settings()) {
            if (!SpecHash.of(with(setting)).equals(SpecHash.of(SPEC))) {
                counted.add(setting.path());
            }
        }
        TreeSet<String> expected = new TreeSet<>();
        for (Setting setting : Schema.RUN.settings()) {
            if (!List.of("name", "description", "dataset.url", "dataset.mirrors", "train.recompute", "hellaSwag.from")
                            .contains(setting.path())
                    && !List.of("checkpoint", "expectation", "cost").contains(setting.section())
                    && other(setting) != setting.in(SPEC)) {
                expected.add(setting.path());
            }
        }
        assertThat(counted).isEqualTo(expected).contains("seed", "train.threads", "model.vocabulary", "sample.prompt");
    }

    private static RunSpec with(Setting changed) {
        Map<String, Object> values = new HashMap<>();
        Schema.RUN.settings().forEach(setting -> values.put(setting.path(), setting.in(SPEC)));
        values.put(changed.path(), other(changed));
        return (RunSpec) Schema.RUN.build(values);
    }

    /** Another value than {@link #SPEC}'s; the same object where there is no other. */
    private static Object other(Setting setting) {
        return switch (setting.in(SPEC)) {
            case Integer number -> number + 1;
            case Long number -> number + 1;
            case Double number -> Math.nextUp(number);
            case Boolean choice -> !choice;
            case String text -> text + "0";
            case Object choice -> {
                List<?> choices = List.of(setting.type().getEnumConstants());
                yield choices.get((choices.indexOf(choice) + 1) % choices.size());
            }
        };
    }

    @Test
    void theUrlCountsWhereNoDigestSaysWhatTheTextIs() {
        String pinned = "dataset.sha256=70b924ea4d22d24d8650660ddddd29fc5c07eafc5803a904e6d1184f50ac4ed7";
        assertThat(SpecHash.of(load("dataset.url=file:copy.txt", pinned)))
                .isEqualTo(SpecHash.of(load("dataset.url=file:other.txt", pinned)));
        assertThat(SpecHash.of(load("dataset.url=file:copy.txt", "dataset.sha256=")))
                .isNotEqualTo(SpecHash.of(load("dataset.url=file:other.txt", "dataset.sha256=")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "optimizer.learningRate=0.001",
                "optimizer.learningRate=+.1e-2",
                "dataset.sha256=" + "70B924EA4D22D24D8650660DDDDD29FC5C07EAFC5803A904E6D1184F50AC4ED7",
                "model.dropout=-0"
            })
    void spellingDoesNotCount(String set) {
        assertThat(SpecHash.of(load(set))).isEqualTo(SpecHash.of(load()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"optimizer.embeddingRate=1e-3", "optimizer.momentum=0.9", "model.attention.qkNorm=true"})
    void whatCameLaterCountsWhereItIsNotTheStandard(String set) {
        assertThat(SpecHash.of(load(set))).isNotEqualTo(SpecHash.of(load()));
    }

    @Test
    void itIsTheDigestOfTheCountedLines() throws Exception {
        StringBuilder lines = new StringBuilder();
        CanonicalYaml.flatten(SPEC).forEach((path, value) -> {
            boolean aside = path.equals("name")
                    || path.equals("description")
                    || List.of("dataset.url", "dataset.mirrors", "dataset.shards", "train.recompute")
                            .contains(path)
                    || (path.endsWith("Rate") && value.equals("0.0")) // these came later, and have their standards
                    || path.startsWith("optimizer.momentum")
                    || path.startsWith("schedule.cooldown")
                    || List.of("optimizer.updateScale", "optimizer.jointQkv").contains(path)
                    || path.startsWith("train.outlier")
                    || List.of("train.zeroStage", "train.hosts").contains(path)
                    || List.of("model.norm", "model.embeddingNorm", "model.softcap", "model.initial")
                            .contains(path)
                    || path.startsWith("model.attention.")
                    || path.startsWith("model.stream.")
                    || path.startsWith("weights.")
                    || path.startsWith("hellaSwag.")
                    || path.startsWith("checkpoint.")
                    || path.startsWith("expectation.")
                    || path.startsWith("cost.");
            if (!aside) {
                boolean text = path.equals("dataset.sha256") || path.equals("sample.prompt");
                String shown = value.replace("\n", "\\n");
                lines.append(path)
                        .append(": ")
                        .append(text ? '"' + shown + '"' : shown)
                        .append('\n');
            }
        });
        byte[] digest =
                MessageDigest.getInstance("SHA-256").digest(lines.toString().getBytes(StandardCharsets.UTF_8));
        assertThat(SpecHash.of(SPEC)).isEqualTo(HexFormat.of().formatHex(digest));
    }

    @Test
    void flatHasEverySettingInOrder() {
        assertThat(CanonicalYaml.flatten(SPEC))
                .hasSize(Schema.RUN.settings().size())
                .containsEntry("name", "quickstart")
                .containsEntry("device", "cpu")
                .containsEntry("model.activation", "gelu_erf")
                .containsEntry("optimizer.epsilon", "1e-8")
                .containsEntry("train.batchTokens", "768")
                .containsEntry("sample.prompt", "\n");
        assertThat(CanonicalYaml.flatten(SPEC).sequencedKeySet())
                .startsWith("name", "description", "seed", "device", "dataset.url")
                .endsWith("cost.dollarsPerHour");
    }
}
