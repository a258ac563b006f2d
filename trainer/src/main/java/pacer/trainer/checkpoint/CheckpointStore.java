package pacer.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import pacer.trainer.durable.DurableFiles;

/**
 * The checkpoints of a run: folders {@code step-000500}, each complete or not there. Reading needs nothing; whatever changes the
 * folder takes the run's {@link Fence}.
 *
 * <p>A checkpoint is written into a hidden folder, every file and the folder synced, the manifest last; then the folder is renamed and
 * the one above it synced. It is deleted manifest first. So at every moment, also after a power cut, a folder with a
 * manifest is whole, unless the disk itself lost something: that is found by length and SHA-256 when it is read.
 */
public final class CheckpointStore {
    private static final Pattern COMPLETE = Pattern.compile("step-\\d{6,10}");
    private static final Pattern HIDDEN = Pattern.compile("\\.step-\\d{6,10}\\.epoch-(\\d{1,18})(\\.replaced)?");

    private final Path folder;
    private final Consumer<String> notices;

    /**
     * The checkpoints under {@code folder}, which need not exist yet.
     *
     * @param notices told, in a line each, what a person should know: a damaged checkpoint and what is done about it
     */
    public CheckpointStore(Path folder, Consumer<String> notices) {
        this.folder = folder;
        this.notices = notices;
    }

    /** Name of the folder of a checkpoint of {@code step}. */
    public static String folderName(int step) {
        return String.format(Locale.ROOT, "step-%06d", step); // some languages have digits of their own
    }

    /** All checkpoints by rising step, their files not verified; those whose manifest is damaged are left out. */
    public List<Checkpoint> list() throws IOException {
        List<Checkpoint> found = new ArrayList<>();
        for (Path path : folders()) {
            try {
                found.add(Checkpoint.read(path));
            } catch (NoSuchFileException deleted) {
                // being deleted, manifest first
            } catch (InvalidFileException damaged) {
                notices.accept("left out a damaged checkpoint: " + damaged.getMessage());
            }
        }
        found.sort(Comparator.comparingInt(c -> c.state().step()));
        return found;
    }

    /** The checkpoint of {@code step}, its files not verified; empty when there is none. */
    public Optional<Checkpoint> at(int step) throws IOException {
        try {
            return Optional.of(Checkpoint.read(folder.resolve(folderName(step))));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        }
    }

    /** The checkpoint of the highest step whose files are what its manifest says. */
    public Optional<Checkpoint> newest() throws IOException {
        return firstValid(list().reversed());
    }

    /** The checkpoint of the lowest validation loss whose files are what its manifest says; of equal ones the earliest. */
    public Optional<Checkpoint> best() throws IOException {
        return firstValid(byLoss(list()));
    }

    /**
     * Makes the folder ready for the writer of a new epoch and finds where it goes on: removes what killed writers of
     * earlier epochs left, sets damaged checkpoints aside as {@code step-000500.damaged}, and returns the newest valid one.
     */
    public Optional<Checkpoint> recover(Fence fence) throws IOException {
        fence.commit(() -> {
            removeLeftovers(fence);
            return null;
        });
        List<Path> newestFirst = folders();
        newestFirst.sort(Comparator.comparing(CheckpointStore::stepOf).reversed());
        for (Path path : newestFirst) {
            try {
                Checkpoint checkpoint = Checkpoint.read(path);
                checkpoint.verify();
                return Optional.of(checkpoint);
            } catch (InvalidFileException damage) {
                Path aside = fence.commit(() -> setAside(path));
                notices.accept("damaged checkpoint set aside as " + aside.getFileName()
                        + ", the one before it is used: " + damage.getMessage());
            }
        }
        return Optional.empty();
    }

    /** Sets a damaged checkpoint aside, so that nobody takes it for one. */
    public void setAside(Fence fence, Path checkpoint) throws IOException {
        Path aside = fence.commit(() -> setAside(checkpoint));
        notices.accept(
                "damaged checkpoint set aside as " + aside.getFileName() + ", training goes on from what is left");
    }

    /** An empty folder in which the files of a checkpoint of {@code step} from elsewhere are put together, before {@link #adopt}. */
    public Path receive(Fence fence, int step) throws IOException {
        Path hidden = hidden(fence, step);
        DurableFiles.deleteTree(hidden);
        DurableFiles.createFolder(hidden);
        return hidden;
    }

    /** What the manifest in a folder of {@link #receive} lists. */
    public static List<FileFacts> listed(Path received) throws IOException {
        return Manifest.read(received).files();
    }

    /**
     * Makes what was {@linkplain #receive received} a checkpoint of this folder; who received its files has proven them. What there is of its
     * step is set aside.
     *
     * @throws FencedException when a later epoch has begun
     */
    public Checkpoint adopt(Fence fence, int step) throws IOException {
        Path hidden = hidden(fence, step);
        Path target = folder.resolve(folderName(step));
        DurableFiles.syncFolder(hidden);
        return fence.commit(() -> {
            if (Files.exists(target)) {
                Path _ = setAside(target);
            }
            DurableFiles.move(hidden, target);
            return Checkpoint.read(target);
        });
    }

    private Path hidden(Fence fence, int step) {
        return folder.resolve("." + folderName(step) + ".epoch-" + fence.epoch());
    }

    /** Begins the checkpoint of {@code step}; every rank of an epoch that begins it gets the same draft. */
    public CheckpointDraft draft(long epoch, int step) {
        return new CheckpointDraft(folder, epoch, step);
    }

    /** {@link #saveSharded Writes} a checkpoint in which one rank keeps all of {@code optimizer}. */
    public Checkpoint save(
            Fence fence, TrainingState state, Collection<TensorSource> weights, Collection<TensorSource> optimizer)
            throws IOException {
        return saveSharded(fence, state, weights, List.of(optimizer));
    }

    /**
     * Writes a checkpoint. The sources are read on this thread and must not change until it returns;
     * to train on meanwhile, give {@linkplain TensorSource#snapshot snapshots} and call it on another thread.
     *
     * @param optimizer by rank, what it keeps
     * @throws FencedException when a later epoch has begun
     */
    public Checkpoint saveSharded(
            Fence fence,
            TrainingState state,
            Collection<TensorSource> weights,
            List<? extends Collection<TensorSource>> optimizer)
            throws IOException {
        CheckpointDraft draft = draft(fence.epoch(), state.step());
        try {
            List<String> files = new ArrayList<>(List.of(Checkpoint.WEIGHTS));
            draft.write(Checkpoint.WEIGHTS, Map.of("format", "pt"), weights);
            for (int rank = 0; rank < optimizer.size(); rank++) {
                files.add(Checkpoint.optimizerFile(rank));
                draft.write(files.getLast(), Map.of(), optimizer.get(rank));
            }
            return draft.commit(fence, state, files);
        } catch (IOException | RuntimeException e) {
            try {
                draft.abandon();
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    /** Deletes all but the newest {@code keepLast} checkpoints and, with {@code keepBest}, that of the lowest validation loss. */
    public void prune(Fence fence, int keepLast, boolean keepBest) throws IOException {
        fence.commit(() -> {
            removeLeftovers(fence);
            List<Checkpoint> all = list();
            Set<Checkpoint> kept =
                    new HashSet<>(all.subList(Math.max(0, all.size() - Math.max(1, keepLast)), all.size()));
            if (keepBest) {
                kept.addAll(byLoss(all).stream().limit(1).toList());
            }
            for (Checkpoint checkpoint : all) {
                if (!kept.contains(checkpoint)) {
                    delete(checkpoint.folder());
                }
            }
            return null;
        });
    }

    private Optional<Checkpoint> firstValid(List<Checkpoint> candidates) throws IOException {
        for (Checkpoint checkpoint : candidates) {
            try {
                checkpoint.verify();
                return Optional.of(checkpoint);
            } catch (InvalidFileException damage) {
                if (Files.exists(checkpoint.folder().resolve(Manifest.FILE))) {
                    notices.accept("left out a damaged checkpoint: " + damage.getMessage());
                } // else it was deleted while we read
            }
        }
        return Optional.empty();
    }

    private static List<Checkpoint> byLoss(List<Checkpoint> all) {
        return all.stream()
                .filter(c -> c.state().validationLoss() != null)
                .sorted(Comparator.comparingDouble(c -> c.state().validationLoss()))
                .toList();
    }

    private static int stepOf(Path checkpoint) {
        return Integer.parseInt(checkpoint.getFileName().toString().substring("step-".length()));
    }

    /** Folders that bear a checkpoint's name. */
    private List<Path> folders() throws IOException {
        return matching(COMPLETE);
    }

    private List<Path> matching(Pattern name) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return new ArrayList<>(
                    all.filter(p -> name.matcher(p.getFileName().toString()).matches())
                            .toList());
        } catch (NoSuchFileException none) {
            return new ArrayList<>();
        }
    }

    private void removeLeftovers(Fence fence) throws IOException {
        for (Path path : matching(HIDDEN)) {
            Matcher name = HIDDEN.matcher(path.getFileName().toString());
            if (name.matches() && Long.parseLong(name.group(1)) < fence.epoch()) {
                DurableFiles.deleteTree(path);
            }
        }
        for (Path path : folders()) {
            if (Files.exists(path.resolve(Manifest.FILE))) {
                DurableFiles.sweep(path, Duration.ZERO); // a manifest is brought up to date inside a commit, as this is
            } else {
                DurableFiles.deleteTree(path); // whoever deleted its manifest was killed before the rest
            }
        }
    }

    private void delete(Path checkpoint) throws IOException {
        Files.deleteIfExists(checkpoint.resolve(Manifest.FILE));
        DurableFiles.syncFolder(checkpoint);
        DurableFiles.deleteTree(checkpoint);
    }

    private Path setAside(Path checkpoint) throws IOException {
        String name = checkpoint.getFileName() + ".damaged";
        Path aside = checkpoint.resolveSibling(name);
        for (int i = 2; Files.exists(aside); i++) {
            aside = checkpoint.resolveSibling(name + "-" + i);
        }
        DurableFiles.move(checkpoint, aside);
        return aside;
    }
}
