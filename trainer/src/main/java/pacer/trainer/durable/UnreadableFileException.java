package pacer.trainer.durable;

import java.io.IOException;
import java.nio.file.Path;

/** A file that is there and open cannot be read to its end: a bad sector, or somebody shortened it. As good as damaged. */
public final class UnreadableFileException extends IOException {
    private static final long serialVersionUID = 1L;

    UnreadableFileException(Path file, long bytes, IOException cause) {
        super("cannot read " + file + " beyond byte " + bytes + ": " + cause.getMessage(), cause);
    }
}
