package pacer.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** A newer attempt at the run has begun: this one may write nothing any more and should end. */
public final class FencedException extends IOException {
    FencedException(Path run, long epoch, long newest) {
        super("epoch " + epoch + " of " + run + " is over: epoch " + newest
                + " has begun, so nothing more may be written");
    }
}
