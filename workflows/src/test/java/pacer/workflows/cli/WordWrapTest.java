package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WordWrapTest {
    private final Screen screen = new Screen();

    private void write(boolean interactive) {
        WordWrap wrap = new WordWrap(screen.terminal(interactive, 20));
        wrap.print("It was the be", Tone.STRONG);
        for (String piece :
                "st of times, it was\nthe worst of times, unquestionably-the-longest-word".split("(?<=.)", -1)) {
            wrap.print(piece, null);
        }
        wrap.end();
    }

    @Test
    void wordsStayWholeOnATerminal() {
        write(true);
        assertThat(screen.seen().stream().map(String::stripTrailing))
                .containsExactly(
                        "It was the best of",
                        "times, it was",
                        "the worst of times,",
                        "unquestionably-the-longest-word",
                        "");
    }

    @Test
    void aFileGetsTheTextAsItIs() {
        write(false);
        assertThat(screen.raw())
                .isEqualTo("It was the best of times, it was\nthe worst of times, unquestionably-the-longest-word\n");
    }
}
