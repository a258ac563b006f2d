package pacer.workflows;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import pacer.activities.run.RunFolder;
import pacer.activities.tracking.Tracking;

/** A run that this process sends to MLflow while it works on it. */
public record Tracked(RunFolder folder, Tracking tracking) {
    private static final long LOOK_MILLIS = 50;

    /** Waits until MLflow has all of a run that has ended; false when nothing was sent for as long as {@code patience}. */
    public boolean awaitAll(Duration patience) throws IOException, InterruptedException {
        String before = "";
        long deadline = System.nanoTime() + patience.toNanos();
        while (!tracking.isComplete(folder)) {
            String now = tracking.state(folder);
            if (!now.equals(before)) {
                before = now;
                deadline = System.nanoTime() + patience.toNanos();
            } else if (System.nanoTime() - deadline > 0) {
                return false;
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return true;
    }

    /** Address of its page in MLflow; empty where it is not there yet. */
    public Optional<String> page() throws IOException {
        return tracking.page(folder);
    }
}
