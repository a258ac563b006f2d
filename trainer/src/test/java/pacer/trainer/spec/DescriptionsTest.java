package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DescriptionsTest {
    private static final String DICKENS = "A small character-level GPT on Dickens, nanoGPT's CPU quickstart";

    private static String described(String... sets) {
        return SpecLoader.load("quickstart", List.of(), List.of(sets)).description();
    }

    @ParameterizedTest
    @CsvSource({
        "file:/home/somebody/letters.txt, letters.txt",
        "file:letters.txt, letters.txt",
        "https://example.com/texts/letters.txt?token=secret#there, letters.txt",
        "maven:org.apache.crunch:crunch-test:0.15.0!/maugham.txt, maugham.txt"
    })
    void anotherTextIsNamed(String url, String name) {
        String digest = url.startsWith("https:") ? "a".repeat(64) : "";
        assertThat(described("dataset.url=" + url, "dataset.sha256=" + digest))
                .isEqualTo(DICKENS + "; here on " + name);
    }

    @Test
    void theSameTextByAnotherWayIsNot() {
        assertThat(described("dataset.url=file:/a/copy.txt")).isEqualTo(DICKENS);
        assertThat(described("train.steps=20", "dataset.sha256=")).isEqualTo(DICKENS);
    }

    @Test
    void whoDescribesTheRunIsBelieved() {
        assertThat(described("dataset.url=file:/a/letters.txt", "dataset.sha256=", "description=My letters"))
                .isEqualTo("My letters");
    }
}
