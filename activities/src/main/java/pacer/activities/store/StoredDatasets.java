package pacer.activities.store;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
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
            sendShard(folder.resolve(shard.name()), shard, (done, of) -> {
                context.check();
                listener.at((double) (sent + done) / all, "sending shards to the store");
            });
            before += shard.bytes();
        }
        sendManifest(hash, manifest, context);
    }

    /** Stores {@code file} as {@code shard}, unless it is there. */
    public void sendShard(Path file, Shard shard, TransferListener listener) throws IOException, InterruptedException {
        try (Content content = Content.of(file, shard.bytes(), shard.sha256())) {
            store.objects().put(shardKey(shard.sha256()), content, listener);
        }
    }

    /** Size of the shard of the digest {@code sha256}; empty when it is not there. */
    public OptionalLong shardBytes(String sha256, StageContext context) throws IOException, InterruptedException {
        Optional<StoredObject> there = store.objects()
                .find(shardKey(sha256), (done, all) -> context.check())
                .filter(found -> found.sha256().filter(sha256::equals).isPresent());
        return there.isPresent() ? OptionalLong.of(there.get().bytes()) : OptionalLong.empty();
    }

    /** Stores the manifest of the dataset {@code hash}, of which all shards are there. */
    public void sendManifest(String hash, DatasetManifest manifest, StageContext context)
            throws IOException, InterruptedException {
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

    /** What hosts share while they make the dataset {@code hash} together. */
    public StoredParts parts(String hash) {
        return new StoredParts(store, hash);
    }

    /** The pins of catalogues' files. */
    public StoredPins pins() {
        return new StoredPins(store);
    }

    /** Where the store is, for people. */
    public String place() {
        return store.place().toString();
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
            objects.get(shardKey(shard.sha256()), shard.bytes(), shard.sha256(), target, (done, all) -> {
                context.check();
                listener.at((double) done / Math.max(1, all), "fetching shards from the store");
            });
            return true;
        } catch (DamagedObjectException e) {
            context.notice(e.getMessage());
            objects.delete(manifestKey(hash), TransferListener.NOBODY);
            objects.delete(shardKey(shard.sha256()), TransferListener.NOBODY);
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

    private static String shardKey(String sha256) {
        return "shards/" + sha256 + ".bin";
    }
}
