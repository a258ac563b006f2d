package pacer.activities.store;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;

/**
 * What hosts share while they make one dataset together, {@code preparing/<hash of the dataset>/…}: each object written once, under a name that
 * says which it is. It goes when the dataset is there; whoever begins anew before that finds it.
 */
public final class StoredParts {
    private final Store store;
    private final String folder;

    StoredParts(Store store, String hash) {
        this.store = store;
        this.folder = "preparing/" + hash + "/";
    }

    /** Size and digest of {@code name}; empty when it is not there, or nobody knows its digest. */
    public Optional<StoredObject> find(String name, StageContext context) throws IOException, InterruptedException {
        return store.objects()
                .find(folder + name, (done, all) -> context.check())
                .filter(found -> found.sha256().isPresent());
    }

    /** Stores {@code bytes} of {@code file} that begin at {@code first}. */
    public void put(String name, Path file, long first, long bytes, String sha256, TransferListener listener)
            throws IOException, InterruptedException {
        try (Content content = Content.of(file, first, bytes, sha256)) {
            store.objects().put(folder + name, content, listener);
        }
    }

    /** Stores a few bytes. */
    public void put(String name, byte[] bytes, StageContext context) throws IOException, InterruptedException {
        store.objects().put(folder + name, Content.of(bytes), (done, all) -> context.check());
    }

    /**
     * Brings {@code name} to {@code target}, proven.
     *
     * @throws DamagedDataException when it is damaged, and is deleted now, or is not there: whoever begins anew makes it anew
     */
    public void get(String name, long bytes, String sha256, Path target, TransferListener listener)
            throws IOException, InterruptedException {
        try {
            store.objects().get(folder + name, bytes, sha256, target, listener);
        } catch (DamagedObjectException e) {
            store.objects().delete(folder + name, TransferListener.NOBODY);
            throw gone(e);
        } catch (NoSuchFileException e) {
            if (!e.getFile().startsWith("s3:")) {
                throw e;
            }
            throw gone(e);
        }
    }

    /** A few bytes, proven; as {@link #get}. */
    public byte[] read(String name, StageContext context) throws IOException, InterruptedException {
        try {
            Optional<byte[]> bytes = store.objects().read(folder + name, (done, all) -> context.check());
            if (bytes.isPresent()) {
                return bytes.get();
            }
        } catch (DamagedObjectException e) {
            store.objects().delete(folder + name, TransferListener.NOBODY);
            throw gone(e);
        }
        throw gone(new NoSuchFileException(store.place().resolve(folder + name).toString()));
    }

    private static DamagedDataException gone(IOException e) {
        String what = e instanceof NoSuchFileException ? e.getMessage() + " is not there any more" : e.getMessage();
        return new DamagedDataException(what + "; preparing the dataset again makes it anew", Stage.DATASET);
    }

    /** Deletes all of it. */
    public void clear(StageContext context) throws IOException, InterruptedException {
        for (String key : store.objects().list(folder, (done, all) -> context.check())) {
            store.objects().delete(key, (done, all) -> context.check());
        }
    }
}
