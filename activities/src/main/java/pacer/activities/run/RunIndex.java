package pacer.activities.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The runs in a folder of run folders. */
public record RunIndex(Path runs) {

    /** A run and its record. */
    public record Entry(RunFolder folder, RunRecord record) {}

    /** All runs that can be read, the newest first; a folder without a readable record is passed over. */
    public List<Entry> list() throws IOException {
        if (!Files.isDirectory(runs)) {
            return List.of();
        }
        List<Entry> entries;
        try (Stream<Path> folders = Files.list(runs)) {
            entries = new ArrayList<>(
                    folders.flatMap(path -> entry(path).stream()).toList());
        }
        entries.sort(Comparator.comparing((Entry e) -> e.record().created())
                .thenComparing(e -> e.record().id())
                .reversed());
        return entries;
    }

    /** Folders of runs whose record cannot be read. */
    public List<String> unreadable() throws IOException {
        if (!Files.isDirectory(runs)) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(runs)) {
            return folders.filter(
                            path -> new RunFolder(path).exists() && entry(path).isEmpty())
                    .map(path -> path.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    /** One damaged record must not hide the others; {@link #find} says what is wrong with it. */
    private static Optional<Entry> entry(Path path) {
        RunFolder folder = new RunFolder(path);
        try {
            return folder.exists() ? Optional.of(new Entry(folder, folder.read())) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * The newest run that is not finished and was asked for by the same spec.
     *
     * @param free whether it can be gone on with
     */
    public Optional<Entry> newestUnfinished(String specHash, Predicate<RunFolder> free) throws IOException {
        return unfinished(e -> specHash.equals(e.record().specHash()) && can(free, e.folder()));
    }

    /** The same of whatever spec; one that failed only where none was stopped or interrupted, as it may well fail again. */
    public Optional<Entry> newestUnfinished(Predicate<RunFolder> free) throws IOException {
        Optional<Entry> cutOff = unfinished(e -> e.record().status() != RunStatus.FAILED && can(free, e.folder()));
        return cutOff.isPresent() ? cutOff : unfinished(e -> can(free, e.folder()));
    }

    private Optional<Entry> unfinished(Predicate<Entry> fitting) throws IOException {
        return list().stream()
                .filter(e -> e.record().status() != RunStatus.FINISHED)
                .filter(fitting)
                .findFirst();
    }

    /** Nobody goes on with a run whose lease cannot even be looked at, such as another user's. */
    private static boolean can(Predicate<RunFolder> free, RunFolder folder) {
        try {
            return free.test(folder);
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /**
     * The run that a person means by {@code name}: its id, the beginning of one id, {@code last}, or a path to its folder.
     *
     * @throws IOException when none or several are meant, with what there is
     */
    public Entry find(String name) throws IOException {
        Path asPath = Path.of(name);
        if (asPath.getNameCount() > 1 || asPath.isAbsolute()) {
            RunFolder folder = new RunFolder(asPath.toAbsolutePath().normalize());
            return new Entry(folder, folder.read());
        }
        List<Entry> all = list();
        if (name.equals("last") && !all.isEmpty()) {
            return all.getFirst();
        }
        RunFolder exact = new RunFolder(runs.resolve(name));
        if (exact.exists()) {
            return new Entry(exact, exact.read()); // says what is wrong with a damaged record
        }
        List<Entry> begun =
                all.stream().filter(e -> e.record().id().startsWith(name)).toList();
        if (begun.size() == 1) {
            return begun.getFirst();
        }
        List<String> known = (begun.isEmpty() ? all : begun)
                .stream().limit(5).map(e -> e.record().id()).toList();
        throw new IOException("run '" + name + "': " + (begun.isEmpty() ? "none in " + runs : "several begin so")
                + (known.isEmpty() ? "" : "; there is " + String.join(", ", known)));
    }
}
