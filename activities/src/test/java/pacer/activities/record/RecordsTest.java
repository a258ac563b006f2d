package pacer.activities.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.RecordRequest;
import pacer.activities.run.RunJson;
import pacer.activities.run.TestRuns;

class RecordsTest {
    @TempDir
    private Path folder;

    private RecordPlan open(String input) throws IOException {
        return new Records(TestRuns.home(folder), () -> 1)
                .open(RunJson.MAPPER.readValue(input, RecordRequest.class), "my attempt/1");
    }

    @Test
    void aPresetsNameIsEnough() throws IOException {
        RecordPlan plan = open("{\"preset\": \"quickstart\"}");
        assertThat(plan.id()).isEqualTo("my-attempt-1");
        assertThat(plan.target()).isEqualTo(1.69);
        assertThat(plan.seeds()).containsExactly(1337L, 1338L, 1339L, 1340L, 1341L);
        assertThat(plan.looks()).containsExactly(5);
        assertThat(plan.parallel()).isEqualTo(1);
    }

    @Test
    void whatIsAskedForIsSettled() throws IOException {
        RecordPlan plan = open(
                "{\"preset\": \"quickstart\", \"runs\": 4, \"target\": 1.9, \"looks\": [2, 4], \"parallel\": 2, \"seed\": 7, \"overrides\": {\"train.steps\": 50}}");
        assertThat(plan.target()).isEqualTo(1.9);
        assertThat(plan.seeds()).containsExactly(7L, 8L, 9L, 10L);
        assertThat(plan.looks()).containsExactly(2, 4);
        assertThat(plan.request().run(8, null).sets()).isEqualTo(List.of("seed=8"));
        assertThat(RunJson.MAPPER.readValue(RunJson.MAPPER.writeValueAsString(plan.request()), RecordRequest.class))
                .as("read as it was written")
                .isEqualTo(plan.request());
    }

    @Test
    void allFaultsAreToldAtOnceInOurWords() {
        assertThatThrownBy(() ->
                        open("{\"presets\": \"quickstart\", \"runs\": \"five\", \"target\": [], \"looks\": [1.5]}"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("presets: no such field; did you mean preset?")
                .hasMessageContaining("runs: \"five\", must be a whole number, such as 5")
                .hasMessageContaining("target: [], must be a number")
                .hasMessageContaining("looks: 1.5, must be a whole number");
        assertThatThrownBy(() -> open("[]"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("the input is [], must be an object");
    }

    @Test
    void whatCannotBeTestedIsRefused() {
        assertThatThrownBy(
                        () -> open(
                                "{\"preset\": \"quickstart\", \"runs\": 1, \"target\": -1, \"looks\": [3, 2], \"parallel\": 0}"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("runs: 1, must be from 2 to 1000")
                .hasMessageContaining("target: -1.0, must be the validation loss to reach")
                .hasMessageContaining("looks: [3, 2], must ascend")
                .hasMessageContaining("parallel: 0, must be 1 or more");
        assertThatThrownBy(() -> open("{\"preset\": \"quickstart\", \"overrides\": {\"train.steps\": 50}}"))
                .as("other settings lose what the preset expects")
                .hasMessageContaining("target: missing");
    }
}
