package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TableTest {
    private static final String NOTE = "a note that says a good deal more than one line of a terminal holds, really";
    private final Screen screen = new Screen();

    private Table table(boolean interactive, String name) {
        Terminal terminal = screen.terminal(interactive, 60);
        return new Table(terminal, "RUN", ">TIME", "NOTE").row(name, "1.0 s", terminal.paint(Tone.QUIET, NOTE));
    }

    @Test
    void aLongLastCellGoesOnBelowItself() {
        table(true, "tiny-1").print();
        assertThat(screen.seen())
                .containsExactly(
                        "RUN      TIME  NOTE",
                        "tiny-1  1.0 s  a note that says a good deal more than one",
                        "               line of a terminal holds, really",
                        "");
    }

    @Test
    void whereItHasNoRoomItGoesOnBelowItsRow() {
        table(true, "quickstart-20261122-224705-and-more").print();
        assertThat(screen.seen().subList(1, 4))
                .containsExactly(
                        "quickstart-20261122-224705-and-more  1.0 s",
                        "    a note that says a good deal more than one line of a",
                        "    terminal holds, really");
    }

    @Test
    void aFileGetsWholeLines() {
        table(false, "tiny-1").print();
        assertThat(screen.raw()).contains("tiny-1  1.0 s  " + NOTE);
    }

    @Test
    void messagesWrapOnATerminalOnly() {
        screen.terminal(true, 60).flow(NOTE, 2);
        screen.terminal(false, 60).flow(NOTE, 2);
        assertThat(screen.seen())
                .containsExactly(
                        "a note that says a good deal more than one line of a", "  terminal holds, really", NOTE, "");
    }
}
