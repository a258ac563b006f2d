package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HellaSwagRulesTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "hellaSwag.from=http://example.com/a.jsonl | must be https://HOST/PATH or file:PATH; delete it for",
                "hellaSwag.from=val.jsonl | must be https://HOST/PATH or file:PATH",
                "hellaSwag.from=file: | must name a file; write file:PATH",
                "hellaSwag.sha256= | hellaSwag.sha256 must be given for https",
                "hellaSwag.sha256=abc | must be 64 hex digits, has 3 characters",
                "hellaSwag.examples=0 | measures nothing, as hellaSwag.examples is 0; give hellaSwag.examples 10042",
                "hellaSwag.examples=-1 | must be 0 to 1000000",
                "dataset.tokenizer=characters | asks in any characters, and dataset.tokenizer knows those of its text alone; give",
            })
    void whatCannotBeMeantIsRefusedWithItsRule(String set, String message) {
        assertThatThrownBy(() -> load("hellaSwag.everySteps=10", set))
                .isInstanceOf(SpecException.class)
                .hasMessageContaining("hellaSwag")
                .hasMessageContaining(message);
    }

    @Test
    void aFileOfOnesOwnNeedsNoDigest() {
        HellaSwagSpec own =
                load("hellaSwag.from=file:val.jsonl", "hellaSwag.sha256=").hellaSwag();
        assertThat(own.given()).isTrue();
        assertThat(own.from()).isEqualTo("file:val.jsonl");
    }

    @Test
    void itIsDueBetweenTheFirstStepAndTheLast() {
        HellaSwagSpec every = load("hellaSwag.everySteps=250").hellaSwag();
        assertThat(Stream.of(1, 249, 250, 500, 1000).filter(step -> every.isDueAfter(step, 1000)))
                .containsExactly(250, 500);
        assertThat(load().hellaSwag().isDueAfter(250, 1000)).isFalse();
    }

    @Test
    void aCopyOfThePinnedFileIsTheSameRun() {
        assertThat(SpecHash.of(load("hellaSwag.from=file:val.jsonl"))).isEqualTo(SpecHash.of(load()));
        assertThat(SpecHash.of(load("hellaSwag.examples=10"))).isNotEqualTo(SpecHash.of(load()));
    }

    private static RunSpec load(String... sets) {
        Stream<String> base = Stream.of("hellaSwag.examples=100", "dataset.tokenizer=gpt2", "model.vocabulary=0");
        return SpecLoader.load(
                "quickstart", List.of(), Stream.concat(base, Stream.of(sets)).toList());
    }
}
