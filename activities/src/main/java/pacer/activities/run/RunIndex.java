package pacer.activities.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The runs in a folder of run folders. */
public record RunIndex(Path runs) {

    /** A run and its record. */
    public record Entry(RunFolder folder, RunRecord record) {

        /**
         * Whether it is a service's elsewhere, which has not ended it: there it may wait for a worker or for its training slot, and
         * nobody works on it.
         */
        public boolean isServices() {
            return record.status() == RunStatus.RUNNING && folder.takenForWorkflow();
        }

        /** Whether {@code what} holds of it; not of one whose lease cannot even be looked at, such as another user's. */
        public boolean is(Predicate<Entry> what) {
            try {
                return what.test(this);
            } catch (UncheckedIOException e) {
                return false;
            }
        }
    }

    /** All runs that can be read, the newest first; a folder without a readable record is passed over. */
    public List<Entry> list() throws IOException {
        return list(id -> {});
    }

    /**
     * The same.
     *
     * @param unreadable hears the folders that are passed over; {@link #find} says what is wrong with one
     */
    public List<Entry> list(Consumer<String> unreadable) throws IOException {
        if (!Files.isDirectory(runs)) {
            return List.of();
        }
        List<Entry> entries = new ArrayList<>();
        try (Stream<Path> folders = Files.list(runs)) {
            for (Path path : folders.sorted().toList()) {
                RunFolder folder = new RunFolder(path);
                try {
                    if (folder.exists()) {
                        entries.add(new Entry(folder, folder.read()));
                    }
                } catch (IOException e) {
                    unreadable.accept(path.getFileName().toString()); // one damaged record must not hide the others
                }
            }
        }
        entries.sort(Comparator.comparing((Entry e) -> e.record().created())
                .thenComparing(e -> e.record().id())
                .reversed());
        return entries;
    }

    /** The runs that are not finished, the newest first. */
    public List<Entry> unfinished() throws IOException {
        return list().stream()
                .filter(e -> e.record().status() != RunStatus.FINISHED)
                .toList();
    }

    /**
     * Which of {@code unfinished} to go on with where none is named: the newest; one that failed only where none was stopped or
     * interrupted, as it may well fail again.
     *
     * @param free whether it can be gone on with
     */
    public static Optional<Entry> toResume(List<Entry> unfinished, Predicate<Entry> free) {
        return unfinished.stream()
                .filter(e -> e.is(free))
                .min(Comparator.comparing(e -> e.record().status() == RunStatus.FAILED)); // the first of equals
    }

    /**
     * The run that a person means by {@code name}: its id, the beginning of one id, {@code last}, the id of its workflow, of which the newest run counts, or
     * a path to its folder.
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
        Optional<Entry> ofWorkflow =
                all.stream().filter(e -> name.equals(e.record().workflowId())).findFirst();
        if (ofWorkflow.isPresent()) {
            return ofWorkflow.get();
        }
        List<String> known = (begun.isEmpty() ? all : begun)
                .stream().limit(5).map(e -> e.record().id()).toList();
        throw new IOException("run '" + name + "': " + (begun.isEmpty() ? "none in " + runs : "several begin so")
                + (known.isEmpty() ? "" : "; there is " + String.join(", ", known)));
    }
}
