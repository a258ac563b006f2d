package pacer.activities.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.run.RunFolder;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.FileFacts;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Manifest;
import pacer.trainer.durable.DurableFiles;

/**
 * A run in the store, as far as another host needs it to go on: {@code runs/<id>/} with its record, spec and events;
 * {@code checkpoints/<id>/step-000500/}, manifest last, deleted manifest first; and {@code runs/<id>/epochs/}, an object for each attempt at
 * training, of which the last is the only one that may change the others. S3 has no locks: an attempt looks whether it is the last before
 * each change that counts, so a zombie may be a request too late, but no more.
 */
final class StoredRun {
    private static final Pattern MANIFEST = Pattern.compile(".*/step-(\\d{6,10})/" + Pattern.quote(Manifest.FILE));
    private static final Pattern EPOCH = Pattern.compile(".*/epochs/(\\d{18})");

    private final ObjectStore objects;
    private final RunFolder folder;
    private final StoredEvents events;
    private final Map<String, String> sent = new HashMap<>(); // digests of what this object sent of the folder

    StoredRun(ObjectStore objects, RunFolder folder) {
        this.objects = objects;
        this.folder = folder;
        this.events = new StoredEvents(objects, runs(""), folder.events());
    }

    /** The newest attempt at training, of any host; 0 when there was none. */
    long newestEpoch(TransferListener listener) throws IOException, InterruptedException {
        return objects.list(runs("epochs/"), listener).stream()
                .map(EPOCH::matcher)
                .filter(Matcher::matches)
                .mapToLong(name -> Long.parseLong(name.group(1)))
                .max()
                .orElse(0);
    }

    /**
     * Begins an attempt, and ends what killed ones left half stored.
     *
     * @param owner tells it from one of the same number on another host
     * @return false when another host has begun an attempt of this number or a later one
     */
    boolean claim(long epoch, String owner, TransferListener listener) throws IOException, InterruptedException {
        String key = runs("epochs/" + String.format(Locale.ROOT, "%018d", epoch));
        try {
            boolean _ = objects.put(key, Content.of(owner.getBytes(StandardCharsets.UTF_8)), listener);
        } catch (ObjectConflictException taken) {
            return false;
        }
        if (!isNewest(epoch, listener)) {
            return false;
        }
        objects.endUploads(checkpoints(""), Duration.ZERO, listener);
        return true;
    }

    boolean isNewest(long epoch, TransferListener listener) throws IOException, InterruptedException {
        return newestEpoch(listener) <= epoch;
    }

    /** The steps of the checkpoints that are there, with the digests of their manifests. */
    SortedMap<Integer, String> manifests(TransferListener listener) throws IOException, InterruptedException {
        TreeMap<Integer, String> found = new TreeMap<>();
        for (String key : objects.list(checkpoints(""), listener)) {
            Matcher name = MANIFEST.matcher(key);
            if (name.matches()) {
                Optional<StoredObject> manifest = objects.find(key, listener);
                manifest.ifPresent(m ->
                        found.put(Integer.parseInt(name.group(1)), m.sha256().orElse("")));
            }
        }
        return found;
    }

    /** A checkpoint, its files held open: it can be stored, also when retention deletes it meanwhile. */
    record Held(int step, Map<String, Content> files, Content manifest) implements AutoCloseable {
        long bytes() {
            return files.values().stream().mapToLong(Content::bytes).sum();
        }

        @Override
        public void close() throws IOException {
            for (Content file : files.values()) {
                file.close();
            }
        }
    }

    /** @throws NoSuchFileException when it is being deleted */
    static Held hold(Checkpoint checkpoint) throws IOException {
        Map<String, Content> files = new TreeMap<>();
        Held held = new Held(
                checkpoint.state().step(),
                files,
                Content.of(Files.readAllBytes(checkpoint.folder().resolve(Manifest.FILE))));
        try {
            for (FileFacts file : checkpoint.manifest().files()) {
                files.put(
                        file.name(), Content.of(checkpoint.folder().resolve(file.name()), file.bytes(), file.sha256()));
            }
            return held;
        } catch (IOException e) {
            held.close();
            throw e;
        }
    }

    /** Says no where what follows must not happen. */
    @FunctionalInterface
    interface Permit {
        void require() throws IOException, InterruptedException;
    }

    /**
     * Stores a checkpoint, its manifest last.
     *
     * @param replaces whether one of the same step is there, which is no checkpoint any more from the first change on
     */
    void send(Held checkpoint, boolean replaces, Permit permit, TransferListener listener)
            throws IOException, InterruptedException {
        String manifest = checkpoints(CheckpointStore.folderName(checkpoint.step()) + "/" + Manifest.FILE);
        if (replaces) {
            permit.require();
            objects.delete(manifest, listener);
        }
        long[] before = {0};
        for (Map.Entry<String, Content> file : checkpoint.files().entrySet()) {
            String key = checkpoints(CheckpointStore.folderName(checkpoint.step()) + "/" + file.getKey());
            TransferListener sum = (done, all) -> listener.moved(before[0] + done, checkpoint.bytes());
            try {
                boolean _ = objects.put(key, file.getValue(), sum);
            } catch (ObjectConflictException other) {
                permit.require(); // of an earlier attempt, trained on another kind of machine
                objects.replace(key, file.getValue(), sum);
            }
            before[0] += file.getValue().bytes();
        }
        permit.require();
        objects.replace(manifest, checkpoint.manifest(), listener);
    }

    /** Deletes a checkpoint, manifest first. */
    void delete(int step, TransferListener listener) throws IOException, InterruptedException {
        String prefix = checkpoints(CheckpointStore.folderName(step) + "/");
        objects.delete(prefix + Manifest.FILE, listener);
        for (String key : objects.list(prefix, listener)) {
            objects.delete(key, listener);
        }
    }

    /**
     * Brings the checkpoint of {@code step} into the run's folder, every file proven.
     *
     * @throws DamagedObjectException when it is damaged; then it is none any more, its manifest set aside
     */
    Checkpoint fetch(int step, CheckpointStore checkpoints, Fence fence, TransferListener listener)
            throws IOException, InterruptedException {
        Path received = checkpoints.receive(fence, step);
        String prefix = checkpoints(CheckpointStore.folderName(step) + "/");
        try {
            fetch(prefix, received, listener);
        } catch (DamagedObjectException | NoSuchFileException | InvalidFileException e) {
            DurableFiles.deleteTree(received);
            setAside(prefix + Manifest.FILE, listener);
            throw new DamagedObjectException(e.getMessage());
        }
        return checkpoints.adopt(fence, step);
    }

    private void fetch(String prefix, Path received, TransferListener listener)
            throws IOException, InterruptedException {
        byte[] manifest = objects.read(prefix + Manifest.FILE, listener)
                .orElseThrow(() -> new NoSuchFileException(
                        objects.address(prefix + Manifest.FILE).toString()));
        DurableFiles.write(received.resolve(Manifest.FILE), manifest);
        List<FileFacts> files = CheckpointStore.listed(received);
        long all = files.stream().mapToLong(FileFacts::bytes).sum();
        long[] before = {0};
        for (FileFacts file : files) {
            objects.get(
                    prefix + file.name(),
                    file.bytes(),
                    file.sha256(),
                    received.resolve(file.name()),
                    (done, of) -> listener.moved(before[0] + done, all));
            before[0] += file.bytes();
        }
    }

    /** As a damaged checkpoint of this machine is: kept for who wants to know why, and no checkpoint. */
    private void setAside(String manifest, TransferListener listener) throws IOException, InterruptedException {
        Optional<byte[]> bytes;
        try {
            bytes = objects.read(manifest, listener);
        } catch (DamagedObjectException e) {
            bytes = Optional.empty();
        }
        if (bytes.isPresent()) {
            objects.replace(manifest + ".damaged", Content.of(bytes.get()), listener);
        }
        objects.delete(manifest, listener);
    }

    /** Stores what another host needs of the run beside a checkpoint, as far as it has changed. */
    void sendFolder(Permit permit, TransferListener listener) throws IOException, InterruptedException {
        refresh("preset.yaml", Content.of(Files.readAllBytes(folder.preset())), listener);
        if (Files.exists(folder.events())) {
            events.send(permit, listener);
        }
        refresh("run.json", Content.of(Files.readAllBytes(folder.recordFile())), listener);
    }

    /** Has those of the run's events sent anew that are damaged in the store, if this host has them. */
    void weedEvents(TransferListener listener) throws IOException, InterruptedException {
        events.weed(listener);
    }

    private void refresh(String name, Content content, TransferListener listener)
            throws IOException, InterruptedException {
        if (!content.sha256().equals(sent.get(name))) {
            objects.replace(runs(name), content, listener);
            sent.put(name, content.sha256());
        }
    }

    /** Adds to the folder's events those that the store knows; returns what was damaged there. */
    List<String> bringEvents(Fence fence, TransferListener listener) throws IOException, InterruptedException {
        return events.bring(fence, listener);
    }

    /** The same where the folder has none. */
    void bringEventsAnew(TransferListener listener) throws IOException, InterruptedException {
        events.bringAnew(listener);
    }

    /** Makes the run's folder, without its events, from what is stored, unless it is there; false when the store does not have the run. */
    boolean bring(TransferListener listener) throws IOException, InterruptedException {
        Optional<byte[]> record = objects.read(runs("run.json"), listener);
        Optional<byte[]> preset = objects.read(runs("preset.yaml"), listener);
        if (record.isEmpty() || preset.isEmpty()) {
            return false;
        }
        folder.receive(record.get(), preset.get());
        return true;
    }

    /**
     * The steps of {@code manifests} that retention on this machine has let go, and in whose place as many newer ones are stored as this machine has: a
     * store that is slower than training would else have none left while the next one is on its way.
     */
    static List<Integer> obsolete(SortedMap<Integer, String> manifests, List<Integer> kept) {
        int newest = kept.stream().mapToInt(Integer::intValue).max().orElse(-1);
        return manifests.headMap(newest + 1).keySet().stream()
                .filter(step -> !kept.contains(step))
                .filter(step -> newer(manifests.keySet(), step) >= newer(kept, step))
                .toList();
    }

    private static long newer(Collection<Integer> steps, int than) {
        return steps.stream().filter(step -> step > than).count();
    }

    private String runs(String name) {
        return "runs/" + folder.id() + "/" + name;
    }

    private String checkpoints(String name) {
        return "checkpoints/" + folder.id() + "/" + name;
    }
}
