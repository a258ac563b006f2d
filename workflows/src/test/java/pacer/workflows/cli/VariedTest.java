package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VariedTest {
    @Test
    void valuesStandBetweenCommasButNotWithinQuotesAndBrackets() {
        assertThat(Varied.grid(
                        List.of("optimizer.learningRate=1e-3, 3e-3", "sample.prompt='a, b',c", "x.list=[1, 2],[3]")))
                .isEqualTo(Map.of(
                        "optimizer.learningRate", List.of("1e-3", "3e-3"),
                        "sample.prompt", List.of("'a, b'", "c"),
                        "x.list", List.of("[1, 2]", "[3]")));
    }

    @Test
    void aRowIsSettingsThatGoTogether() {
        assertThat(Varied.rows(List.of("optimizer.learningRate=1e-3,train.steps=500", "train.steps=200,x.list=[1,2]")))
                .containsExactly(
                        Map.of("optimizer.learningRate", "1e-3", "train.steps", "500"),
                        Map.of("train.steps", "200", "x.list", "[1,2]"));
    }

    @Test
    void whatIsNoSettingIsToldWithTheWord() {
        assertThatThrownBy(() -> Varied.grid(List.of("1e-3,3e-3")))
                .isInstanceOf(Mistake.class)
                .hasMessage(
                        "--vary 1e-3,3e-3: must name a setting and what it is to be, such as --vary optimizer.learningRate=1e-3,3e-3");
        assertThatThrownBy(() -> Varied.grid(List.of("train.steps=1", "train.steps=2")))
                .hasMessageContaining("it varies already; give all its values at once");
        assertThatThrownBy(() -> Varied.rows(List.of("train.steps=1,train.steps=2")))
                .hasMessage("--row train.steps=1,train.steps=2: train.steps is there twice");
    }
}
