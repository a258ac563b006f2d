package pacer.activities.store;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import pacer.activities.run.Reasons;
import pacer.activities.run.StageContext;
import pacer.trainer.data.BadDataException;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization.Shard;

/**
 * Datasets in the store, for every host: {@code shards/<sha256>.bin} and, when all of a dataset's are there and proven,
 * {@code datasets/<hash>.json}. A store that does not answer keeps nobody from making a dataset; that is said.
 */
public final class StoredDatasets {
    private final Store store;

    public StoredDatasets(Store store) {
        this.store = store;
    }

    /** Hears how far a transfer is. */
    @FunctionalInterface
    public interface Listener {
        void at(double fraction, String text);
    }

    /** The dataset {@code hash}; empty when it is not there, or the store does not answer, which is said. */
    public Optional<DatasetManifest> find(String hash, StageContext context) throws InterruptedException {
        try {
            return read(hash, context);
        } catch (IOException e) {
            context.notice("the store gives no dataset: " + Reasons.of(e));
            return Optional.empty();
        }
    }

    /**
     * The manifest of the dataset {@code hash}; empty when it is not there.
     *
     * @throws IOException when the store does not answer
     */
    public Optional<DatasetManifest> read(String hash, StageContext context) throws IOException, InterruptedException {
        String key = manifestKey(hash);
        try {
            Optional<byte[]> json = store.objects().read(key, (done, all) -> context.check());
            return json.isPresent()
                    ? Optional.of(DatasetManifest.parse(
                            json.get(), store.objects().address(key).toString()))
                    : Optional.empty();
        } catch (BadDataException | DamagedObjectException e) {
            context.notice(e.getMessage() + "; it is made anew");
            store.objects().delete(key, TransferListener.NOBODY);
            return Optional.empty();
        }
    }

    /** Stores what is not there yet of the dataset {@code hash} in {@code folder}; what keeps it from that is said. */
    public void send(String hash, DatasetManifest manifest, Path folder, StageContext context, Listener listener)
            throws InterruptedException {
        try {
            if (read(hash, context).isEmpty()) {
                sendAll(hash, manifest, folder, context, listener);
            }
        } catch (IOException e) {
            context.notice("the dataset is on this machine only, the next run sends it again: " + Reasons.of(e));
        }
    }

    private void sendAll(String hash, DatasetManifest manifest, Path folder, StageContext context, Listener listener)
            throws IOException, InterruptedException {
        long all =
                Math.max(1, manifest.shards().stream().mapToLong(Shard::bytes).sum());
        long before = 0;
        for (Shard shard : manifest.shards()) {
            long sent = before;
            try (Content content = Content.of(folder.resolve(shard.name()), shard.bytes(), shard.sha256())) {
                store.objects().put(shardKey(shard), content, (done, of) -> {
                    context.check();
                    listener.at((double) (sent + done) / all, "sending shards to the store");
                });
            }
            before += shard.bytes();
        }
        try {
            store.objects().put(manifestKey(hash), Content.of(manifest.toJson()), (done, of) -> context.check());
        } catch (ObjectConflictException e) {
            // made elsewhere at the same time, from the same text under another name
            boolean same = read(hash, context)
                    .filter(other -> other.identity().equals(manifest.identity()))
                    .isPresent();
            if (!same) {
                throw e;
            }
        }
    }

    /**
     * Brings a shard to {@code target}, proven. What is damaged in the store is deleted there, and the manifest of the dataset
     * {@code hash} before it: who makes the dataset anew stores it anew.
     *
     * @return false when the store does not have it, sound
     * @throws IOException when the store does not answer
     */
    public boolean fetch(String hash, Shard shard, Path target, StageContext context, Listener listener)
            throws IOException, InterruptedException {
        ObjectStore objects = store.objects();
        try {
            objects.get(shardKey(shard), shard.bytes(), shard.sha256(), target, (done, all) -> {
                context.check();
                listener.at((double) done / Math.max(1, all), "fetching shards from the store");
            });
            return true;
        } catch (DamagedObjectException e) {
            context.notice(e.getMessage());
            objects.delete(manifestKey(hash), TransferListener.NOBODY);
            objects.delete(shardKey(shard), TransferListener.NOBODY);
            return false;
        } catch (NoSuchFileException e) {
            if (!e.getFile().startsWith("s3:")) {
                throw e;
            }
            objects.delete(manifestKey(hash), TransferListener.NOBODY); // it promises what is not there
            return false;
        }
    }

    private static String manifestKey(String hash) {
        return "datasets/" + hash + ".json";
    }

    private static String shardKey(Shard shard) {
        return "shards/" + shard.sha256() + ".bin";
    }
}
