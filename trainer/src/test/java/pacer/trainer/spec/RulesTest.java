package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What settings must fulfil together. */
class RulesTest {

    private static final String SHA = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed";

    @TempDir
    Path folder;

    SettingsFiles files;

    @BeforeEach
    void start() {
        files = new SettingsFiles(folder);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model.heads=3          | --set model.heads=3: 3, model.heads (3) must divide model.width (8); give heads 2 or width 9",
                "model.width=9          | --set model.width=9: 9, model.heads (2) must divide model.width (9); give heads 1 or width 10",
                "model.width=65536      | --set model.width=65536: 65536, makes 103081312256 parameters; at most 2000000000 are held in one piece; lower model.width, model.layers or model.vocabulary",
                "model={heads: 4, attention: {positions: rotary_half}} | --set model={heads: 4, attention: {positions: rotary_half}} model.attention.positions: rotary_half, heads of width 2 (model.width / model.heads) must be a multiple of 4 for positions rotary_half; give a width of which that holds",
                "model.attention.leftOut=9 | --set model.attention.leftOut=9: 9, model.attention.leftOut (9) must be one of 2 layers, counted from 0; give -1 to leave none out",
                "model.attention.values=tables_ends | --set model.attention.values=tables_ends: tables_ends, model.layers (2) must be at least 6 for values tables_ends; give 6 layers, or values tables_mirrored",
                "model.attention.windowStart=2 | --set model.attention.windowStart=2: 2, model.attention.windowStart (2) is that of a window, and model.attention.window is 0; give the window at the end as well",
                "model.attention={window: 4, windowStep: 8} | --set model.attention={window: 4, windowStep: 8} model.attention.windowStep: 8, model.attention.windowStep (8) must not be over the smallest window (4); give at most 4",
                "model.embeddingNorm=true | --set model.embeddingNorm=true: true, the embedding's norm has no gains: model.norm must be rms_norm; give model.norm rms_norm",
                "model.attention={valueScale: 2, values: tables_each} | --set model.attention={valueScale: 2, values: tables_each} model.attention.valueScale: 2.0, values that are mixed have factors of their own, and no valueScale; give valueScale 1",
                "model.attention={values: tables_each, leftOut: 1} | --set model.attention={values: tables_each, leftOut: 1} model.attention.leftOut: 1, the layer without attention would have a table that nothing takes; give values tables_mirrored, or leave no layer out",
                "schedule={cooldownSteps: 9, decaySteps: 8} | --set schedule={cooldownSteps: 9, decaySteps: 8} schedule.cooldownSteps: 9, schedule.cooldownSteps (9) and schedule.warmupSteps (0) must not be over the 8 steps of the schedule; give fewer, or cooldownSteps 0 to take cooldown, a part of the steps",
                "train.batchTokens=18   | --set train.batchTokens=18: 18, train.batchTokens (18) must be a multiple of model.sequenceLength × train.ranks (4 × 1 = 4); give batchTokens 16 or 20",
                "train.ranks=3          | --set train.ranks=3: 3, train.batchTokens (16) must be a multiple of model.sequenceLength × train.ranks (4 × 3 = 12); give batchTokens 12 or 24",
                "model.sequenceLength=32 | --set model.sequenceLength=32: 32, train.batchTokens (16) must be a multiple of model.sequenceLength × train.ranks (32 × 1 = 32); give batchTokens 32",
                "train.microBatch=3     | --set train.microBatch=3: 3, train.microBatch (3) must divide the sequences a rank takes a step (16 tokens / 4 / 1 ranks = 4); give microBatch 2 or 4",
                "schedule={warmupSteps: 9, decaySteps: 8} | --set schedule={warmupSteps: 9, decaySteps: 8} schedule.warmupSteps: 9, schedule.warmupSteps (9) must not be over schedule.decaySteps (8); warm up for fewer steps, or give decaySteps 0 to take train.steps",
                "model.vocabulary=50256 | --set model.vocabulary=50256: 50256, must hold the 50257 tokens of dataset.tokenizer gpt2; give 0 to take the dataset's, or 50304 to pad it",
                "dataset.validationFraction=0 | --set dataset.validationFraction=0: 0.0, must leave a part to measure validation loss on; give for example 0.1",
                "evaluation.tokens=3    | --set evaluation.tokens=3: 3, evaluation.tokens (3) must hold at least one sequence of model.sequenceLength (4); give 4 or more, or 0 for all",
                "optimizer.beta1=1      | --set optimizer.beta1=1: 1.0, must be less than 1; give for example 0.9",
                "optimizer.beta2=1      | --set optimizer.beta2=1: 1.0, must be less than 1; give for example 0.95",
                "sample.prompt=         | --set sample.prompt=: \"\", must have at least one character to continue; give for example \"\\n\"",
                "description=\"a\\nb\"  | --set description=\"a\\nb\": \"a\\nb\", must be one line; delete the line break",
                "dataset.sha256=86c4    | --set dataset.sha256=86c4: \"86c4\", must be 64 hex digits, has 4 characters; copy what sha256sum prints",
                "dataset.url=https://x.org/a | --set dataset.url=https://x.org/a: \"https://x.org/a\", dataset.sha256 must be given for https, so that every run has the same text; download it once and give what sha256sum prints",
            })
    void aBrokenRuleIsToldAtTheSettingThatWasChangedLast(String set, String line) {
        files.faultsOfSets(set).containsExactly(line);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "train.microBatch=1000", // shrinks to the batch
                "schedule.warmupSteps=100", // a short run that is all warmup
                "train={ranks: 2, microBatch: 2}",
                "model.vocabulary=50304",
                "evaluation.tokens=4",
                "optimizer.beta1=0",
                "dataset.url=file:../a.txt",
                "dataset.url=file:///a.txt",
                "dataset.url=maven:org.apache.crunch:crunch-test:0.15.0!/a/b..txt",
            })
    void whatIsAllowed(String set) {
        assertThat(files.whole(set)).isNotNull();
    }

    @Test
    void httpsWithADigest() {
        DatasetSpec dataset = files.whole(
                        "dataset.url=https://x.org/a.txt", "dataset.sha256=" + SHA.toUpperCase(Locale.ROOT))
                .dataset();
        assertThat(dataset.sha256()).isEqualTo(SHA);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http://x.org/a          | plain http can be read and changed on the way; use https",
                "ftp://x.org/a           | no such scheme; write https://HOST/PATH, s3://BUCKET/KEY, file:PATH, maven:GROUP:ARTIFACT:VERSION!/ENTRY or catalogue:NAME",
                "text.txt                | must begin with a scheme; for a file write file:text.txt",
                "''                      | must say where the text is; write https://HOST/PATH, s3://BUCKET/KEY, file:PATH, maven:GROUP:ARTIFACT:VERSION!/ENTRY or catalogue:NAME",
                "https:///a              | must name a host; write https://HOST/PATH",
                "https://x.org/a b       | is no URL, Illegal character in path at character 16; percent-encode it",
                "file:                   | must name a file; write file:PATH",
                "file://host/a           | must not name a host; write file:PATH or file:///PATH",
                "maven:a:b!/c            | must name one file of one version; write maven:GROUP:ARTIFACT:VERSION!/ENTRY",
                "maven:a:b:[1,2)!/c      | must name one file of one version; write maven:GROUP:ARTIFACT:VERSION!/ENTRY",
                "maven:a:b:1!/../c       | must name an entry inside the archive; write it without .., . or a leading slash",
                "maven:a:b:1!/x/..       | must name an entry inside the archive; write it without .., . or a leading slash",
                "maven:a:b:1!//etc       | must name an entry inside the archive; write it without .., . or a leading slash",
            })
    void placesThatNoTextMayComeFrom(String url, String message) {
        files.faults(
                        files.write("whole.yaml", SettingsFiles.WHOLE),
                        List.of(),
                        List.of("dataset.url=" + url, "dataset.sha256=" + SHA))
                .singleElement()
                .asString()
                .endsWith("\"%s\", %s".formatted(url, message));
    }

    /** A fault is written into logs and histories, from both the value and the place where it was given. */
    @ParameterizedTest
    @CsvSource({
        "https://me:hunter2@x.org/a, https://…@x.org/a",
        "https://hunter2@x.org/a, https://…@x.org/a",
        "https://me:hunter2-and-a-password-longer-than-what-a-fault-shows-of-a-value@x.org/a, https://…@x.org/a",
        "s3://me:hunter2@bucket/a, s3://…@bucket/a",
    })
    void aUserOrPasswordInAnAddressIsRefusedAndNotShown(String url, String shown) {
        files.faults(
                        files.write("whole.yaml", SettingsFiles.WHOLE),
                        List.of(),
                        List.of("dataset.url=" + url, "dataset.sha256=" + SHA))
                .singleElement()
                .asString()
                .contains("\"" + shown + "\", must ")
                .doesNotContain("hunter2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-a", "a b", "a/b", "..", "ä", "x_y"})
    void namesThatNoRunMayHave(String name) {
        files.faultsOfSets("name=" + name).singleElement().asString().contains("must be 1 to 63 letters");
    }

    @Test
    void aRuleOverAFaultySettingSaysNothing() {
        files.faultsOfSets("model.heads=x", "model.width=9").hasSize(1);
        files.faultsOfSets("train.ranks=0", "train.batchTokens=17").hasSize(1);
    }
}
