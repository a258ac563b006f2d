package pacer.activities.staging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import pacer.activities.run.Digests;
import pacer.activities.run.DurableFiles;
import pacer.activities.run.FileGuard;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;

/**
 * Brings the shards of a dataset to the local disk of the host that trains. They lie there under their digest
 * ({@code staged/<sha256>.bin}), so that datasets share what they have in common, and each is verified by it every time; and
 * under their names in {@code staged/<hash of the dataset>/} beside the manifest, which is what a trainer is given.
 */
public final class Staging {
    private final Home home;
    private final StageLog log;
    private final Clock clock;

    public Staging(Home home, StageLog log, Clock clock) {
        this.home = home;
        this.log = log;
        this.clock = clock;
    }
}
