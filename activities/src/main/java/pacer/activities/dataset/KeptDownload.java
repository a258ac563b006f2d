package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongConsumer;
import pacer.activities.run.CacheUse;
import pacer.activities.run.StageContext;
import pacer.trainer.durable.Sha256;

/** A file that was fetched before, {@code downloads/<sha256>}. */
final class KeptDownload {
    private KeptDownload() {}

    /**
     * Whether {@code file} is there and what its digest says, and so is used now; a damaged one is deleted, to be fetched again.
     *
     * @param read hears how many of its bytes are read
     */
    static boolean isSound(Path file, String sha256, StageContext context, LongConsumer read) throws IOException {
        if (!Files.exists(file)) {
            return false;
        }
        long[] bytes = {0};
        String found = Sha256.of(file, n -> {
            context.check();
            bytes[0] += n;
            read.accept(bytes[0]);
        });
        if (!found.equals(sha256)) {
            context.notice(file + " was damaged; it is fetched again");
            Files.delete(file);
            return false;
        }
        CacheUse.touch(file);
        return true;
    }
}
