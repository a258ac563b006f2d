package pacer.trainer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class StepResultTest {
    private static final String PYTHON = """
            {"engine": "PyTorch 2.15.0+cu132", "runtime": "Python 3.11.7, numpy 2.4.6", "device": "CPU, 2 threads, AVX512", \
            "settings": ["eager", "fp32", "AdamW fused"], "threads": 2, "parameters": 28096, "tokens": 128, "warmupSteps": 4, \
            "steady": false, "steps": 3, "losses": [3.9277697801589966, 3.945426821708679], \
            "millis": {"median": 4.5, "p10": 4.0, "p90": 6}, "cpuMillis": 8.5, "tokensPerSecond": 28444.4, \
            "firstStepEpochMillis": 1795366330160.7087, "peakBytes": 730447872}""";

    @Test
    void readsWhatPythonPrints() {
        StepResult result = StepResult.parse(PYTHON);
        assertThat(result.engine()).isEqualTo("PyTorch 2.15.0+cu132");
        assertThat(result.settings()).containsExactly("eager", "fp32", "AdamW fused");
        assertThat(result.losses()).isEqualTo(List.of(3.9277697801589966, 3.945426821708679));
        assertThat(result.millis()).isEqualTo(new Spread(4.5, 4, 6));
        assertThat(result.peakBytes()).isEqualTo(730447872L);
    }

    @Test
    void readsWhatItWrites() {
        StepResult result = StepResult.parse(PYTHON);
        assertThat(StepResult.parse(result.json())).isEqualTo(result);
    }

    @Test
    void memoryMayBeUnknown() {
        assertThat(StepResult.parse(PYTHON.replace("730447872", "null")).peakBytes())
                .isNull();
    }

    @Test
    void refusesWhatIsNoResult() {
        refused(PYTHON.replace("\"tokens\": 128, ", ""), "tokens");
        refused(PYTHON.replace("\"cpuMillis\": 8.5", "\"cpuMillis\": null"), "cpuMillis");
        refused(PYTHON.replace("\"median\": 4.5", "\"median\": NaN"), "NaN");
        refused(PYTHON.replace("\"p10\": 4.0", "\"p10\": 0"), "step time");
        refused(PYTHON.replace("3.945426821708679", "1e999"), "loss");
        refused(PYTHON.replace("\"steps\": 3", "\"steps\": 0"), "nothing was timed");
        refused(PYTHON.replace("}}", "}, \"more\": 1}").replace("730447872}", "730447872, \"more\": 1}"), "more");
        refused("Traceback (most recent call last):", "Traceback");
        refused("", "no result");
    }

    private static void refused(String json, String saying) {
        assertThatThrownBy(() -> StepResult.parse(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("result of a step")
                .hasMessageContaining(saying);
    }
}
