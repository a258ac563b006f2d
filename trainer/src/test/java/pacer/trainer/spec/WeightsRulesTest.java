package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightsRulesTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gpt3 | no such weights; did you mean gpt2? write gpt2, gpt2-medium",
                "/models/gpt2 | no such weights; write gpt2, gpt2-medium, gpt2-large, gpt2-xl, file:FOLDER, hf://ORG",
                "hf://gpt2 | names no model of the hub; write hf://ORGANISATION/NAME@REVISION",
                "hf://a/b@main | names no model of the hub; write",
                "hf://a/../b | names no model of the hub; write",
                "hf://a/b | may hold something else tomorrow; add @ and its 40 hex digits of revision",
                "https://example.com/m/ | weights.sha256 must be given for https",
                "http://example.com/m/ | no such weights; write gpt2",
                "file: | must name a file; write file:PATH",
                "gpt2-xl | needs model.layers 48, model.heads 25 and model.width 1600, here they are 12, 12 and 768; give these",
            })
    void aPlaceThatCannotBeMeantIsRefusedWithItsRule(String from, String message) {
        assertThatThrownBy(() -> load("weights.from=" + from))
                .isInstanceOf(SpecException.class)
                .hasMessageContaining("weights.from")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gpt2",
                "file:models/gpt2",
                "hf://openai-community/gpt2@607a30d783dfa663caf39e06633721c8d4cfcd7e",
            })
    void placesThatArePinnedOrHereAreTaken(String from) {
        assertThat(load("weights.from=" + from).weights().from()).isEqualTo(from);
    }

    @Test
    void anotherNetworkCannotBeginWithThem() {
        assertThatThrownBy(() -> load("model.bias=false"))
                .hasMessageContaining("are of GPT-2's network with biases, and model is another; give model.bias true");
        assertThatThrownBy(() -> load("model.softcap=30")).hasMessageContaining("are of GPT-2's network");
        assertThatThrownBy(() -> load("dataset.tokenizer=characters", "model.vocabulary=0"))
                .hasMessageContaining("knows GPT-2's tokens, and dataset.tokenizer makes others");
        assertThatThrownBy(() -> load("weights.from=", "weights.sha256=" + "a".repeat(64)))
                .hasMessageContaining("is of weights that weights.from names");
        assertThatThrownBy(() -> load("weights.sha256=abc")).hasMessageContaining("must be 64 hex digits, has 3");
    }

    /** Earlier hashes stand; a copy of pinned weights is the same run. */
    @Test
    void theyCountInTheHashOfARunThatHasThem() {
        RunSpec plain = SpecLoader.load("quickstart", List.of(), List.of());
        assertThat(plain.weights()).isEqualTo(WeightsSpec.NONE);
        assertThat(SpecHash.of(load("weights.from=file:a"))).isNotEqualTo(SpecHash.of(load("weights.from=file:b")));
        String pinned = "weights.sha256=" + "a".repeat(64);
        assertThat(SpecHash.of(load("weights.from=file:a", pinned)))
                .isEqualTo(SpecHash.of(load("weights.from=file:b", pinned)))
                .isNotEqualTo(SpecHash.of(load("weights.from=file:a", "weights.sha256=" + "b".repeat(64))));
    }

    private static RunSpec load(String... sets) {
        return SpecLoader.load("eval-gpt2", List.of(), Stream.of(sets).toList());
    }
}
