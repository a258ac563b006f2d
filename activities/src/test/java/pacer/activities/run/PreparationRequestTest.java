package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.spec.DatasetSpec;

class PreparationRequestTest {
    private static PreparationRequest read(String json) throws Exception {
        return RunJson.MAPPER.readValue(json, PreparationRequest.class);
    }

    @Test
    void aDatasetAloneHasTheDefaultsOfSettings() throws Exception {
        assertThat(read("{\"dataset\": {\"url\": \"s3://bucket/a key #1\"}}").resolve())
                .isEqualTo(new DatasetSpec(
                        "s3://bucket/a key #1", "", DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.GPT2, 0.1));
    }

    @Test
    void aPresetsDatasetCanBeChanged() throws Exception {
        DatasetSpec quickstart = read("{\"preset\": \"quickstart\"}").resolve();
        assertThat(quickstart.url()).startsWith("maven:");
        assertThat(read("{\"preset\": \"quickstart\", \"dataset\": {\"validationFraction\": 0.2}}")
                        .resolve())
                .isEqualTo(new DatasetSpec(
                        quickstart.url(), quickstart.sha256(), quickstart.format(), quickstart.tokenizer(), 0.2));
        assertThat(read("{\"preset\": \"quickstart\", \"overrides\": {\"dataset\": {\"validationFraction\": 0.2}}}")
                        .resolve()
                        .validationFraction())
                .isEqualTo(0.2);
    }

    @Test
    void whatARunAsksForArrivesAsItIsAlsoWhenItIsReadTwice() throws Exception {
        DatasetSpec spec = new DatasetSpec(
                "catalogue:fineweb10B",
                "",
                DatasetSpec.Format.TEXT,
                DatasetSpec.Tokenizer.GPT2,
                0.1,
                9,
                "https://mirror/a/ file:/b/c/");
        String once = RunJson.MAPPER.writeValueAsString(PreparationRequest.of(spec, "host-1"));
        PreparationRequest twice = read(RunJson.MAPPER.writeValueAsString(read(once)));
        assertThat(twice.resolve()).isEqualTo(spec);
        assertThat(twice.host()).isEqualTo("host-1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', textBlock = """
                    {"preset": "quickstrat"}                             | did you mean quickstart?
                    {"dataset": {"url": "s3://b"}}                       | s3://b
                    {"dataset": {"url": "s3://bu/k", "formatt": "text"}} | dataset.formatt
                    {"dataset": {"url": "s3://bu/k", "shards": -1}}      | dataset.shards
                    {"dataset": {"url": 5}}                              | dataset.url: missing
                    {"dataset": {"url": ["a"]}}                          | dataset.url: ["a"], must be one value
                    {"dataset": null}                                    | preset: missing
                    {"note": "x", "preset": "quickstart"}                | note: no such field
                    {}                                                   | preset: missing
                    "quickstart"                                         | the input is "quickstart", must be an object
                    """)
    void whatCannotBeMeantIsRefusedInOurWordsAlsoWhenItIsReadTwice(String json, String words) throws Exception {
        PreparationRequest request = read(json);
        for (PreparationRequest read :
                new PreparationRequest[] {request, read(RunJson.MAPPER.writeValueAsString(request))}) {
            assertThatThrownBy(read::resolve)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(words);
        }
    }
}
