package pacer.activities.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;

/**
 * Keeps datasets, staged shards, downloads and weights of this machine within a limit: what was used least recently goes, but nothing that a run
 * at work has, or a dataset in preparation needs, as {@link CacheUse} says.
 */
public final class LocalCache {
    private static final String VARIABLE = "PACER_CACHE_LIMIT";
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern SHARD = Pattern.compile("[0-9a-f]{64}\\.bin");

    /** From being used by a stage until the next stage says for whom. */
    private static final Duration YOUNG = Duration.ofMinutes(10);

    private final Home home;
    private final OptionalLong limit;
    private final Clock clock;

    public LocalCache(Home home, OptionalLong limit, Clock clock) {
        this.home = home;
        this.limit = limit;
        this.clock = clock;
    }

    /**
     * The limit that {@code PACER_CACHE_LIMIT} sets, {@code 200GB}; empty when it sets none.
     *
     * @throws BadInputException when it is no size
     */
    public static OptionalLong limit(Map<String, String> environment) {
        String text = environment.getOrDefault(VARIABLE, "").strip();
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        OptionalLong bytes = ByteSize.of(text);
        if (bytes.isEmpty()) {
            throw new BadInputException(VARIABLE + ": '" + text + "' is no size; write 200GB, 500MB or 2TB");
        }
        return bytes;
    }

    /**
     * What goes as a whole: a dataset with everything of it, a shard that no dataset has, a download, weights.
     *
     * @param shards staged ones that no other dataset has
     * @param uses those of its paths that others may use, and lock; none of a shard: who stages a dataset has its own lock
     */
    private record Thing(List<Path> paths, List<Path> shards, List<Path> uses, Instant used) {}

    /** Deletes what is over the limit; what was deleted is said in one line. */
    public void shrink(StageContext context) throws IOException {
        if (limit.isEmpty()) {
            return;
        }
        try (FileGuard guard =
                FileGuard.tryTake(home.cache().resolve("limit.lock")).orElse(null)) {
            if (guard != null) { // else another process is at it
                shrink(limit.getAsLong(), context);
            }
        }
    }

    private void shrink(long most, StageContext context) throws IOException {
        long before = bytes();
        if (before <= most) {
            return;
        }
        int dropped = 0;
        long now = before;
        for (Thing thing : things()) {
            context.check();
            if (now > most && drop(thing)) {
                dropped++;
                now = bytes();
            }
        }
        String rest = "%.3f GB of at most %.3f GB are left".formatted(now / 1e9, most / 1e9);
        if (dropped > 0) {
            context.notice(
                    "cache: the %d datasets, shards, downloads and weights not used for longest deleted, %.3f GB; %s (%s)"
                            .formatted(dropped, (before - now) / 1e9, rest, VARIABLE));
        }
        if (now > most) {
            context.notice("cache: " + rest + ", all of it used now or just before; raise " + VARIABLE);
        }
    }

    /** What can go, that which was used least recently first. */
    private List<Thing> things() throws IOException {
        Instant limitOfYouth = clock.instant().minus(YOUNG);
        Map<String, Set<String>> shards = shardsByDataset();
        Set<String> hashes = new HashSet<>(shards.keySet());
        list(home.datasets(), HASH).forEach(folder -> hashes.add(name(folder)));
        List<Thing> things = new ArrayList<>();
        for (String hash : hashes) {
            Path dataset = home.datasets().resolve(hash);
            Path staged = home.staged().resolve(hash);
            Set<String> own = new HashSet<>(shards.getOrDefault(hash, Set.of()));
            shards.forEach((other, all) -> own.removeAll(other.equals(hash) ? Set.of() : all));
            List<Path> paths = List.of(dataset, staged);
            things.add(
                    new Thing(paths, own.stream().map(home.staged()::resolve).toList(), paths, CacheUse.latest(paths)));
        }
        Set<String> linked = linked(shards);
        for (Path shard : list(home.staged(), SHARD)) {
            if (!linked.contains(name(shard))) { // of a dataset that was made anew, or whose staging was killed
                things.add(new Thing(List.of(), List.of(shard), List.of(), CacheUse.latest(List.of(shard))));
            }
        }
        for (Path root : List.of(home.downloads(), home.weights())) {
            for (Path path : list(root, HASH)) {
                things.add(new Thing(List.of(path), List.of(), List.of(path), CacheUse.latest(List.of(path))));
            }
        }
        things.removeIf(thing -> thing.used().isAfter(limitOfYouth));
        things.sort(Comparator.comparing(Thing::used));
        return things;
    }

    /** Unless somebody has it in hand. */
    private boolean drop(Thing thing) throws IOException {
        List<FileGuard> guards = new ArrayList<>();
        try {
            for (Path path : thing.uses()) {
                Optional<FileGuard> guard = FileGuard.tryTake(CacheUse.beside(path, CacheUse.LOCK));
                if (guard.isEmpty()) {
                    return false;
                }
                guards.add(guard.get());
            }
            // now that nobody can begin to use it
            for (Path path : thing.uses()) {
                if (CacheUse.isInUse(path, home, clock)) {
                    return false;
                }
            }
            for (Path path : thing.paths()) {
                if (Files.isDirectory(path)) {
                    Files.deleteIfExists(path.resolve("manifest.json")); // first: without it it is no dataset
                    DurableFiles.deleteTree(path);
                } else {
                    Files.deleteIfExists(path);
                }
                CacheUse.forget(path);
            }
            drop(thing.shards());
            return true;
        } finally {
            for (FileGuard guard : guards) {
                guard.close();
            }
        }
    }

    /**
     * Unless a staging, of whatever dataset, has named them in the meantime. It names shards and then looks which are there; here they are taken
     * away and then it is looked who names them. So they are missed there, or put back here.
     */
    private void drop(List<Path> shards) throws IOException {
        Map<Path, Path> away = new HashMap<>();
        for (Path shard : shards) {
            Path beside = DurableFiles.beside(shard); // which is swept away if this process is killed
            if (Files.exists(shard)) { // else it was named by a staging that was killed before it came
                Files.setLastModifiedTime(shard, FileTime.from(clock.instant())); // not swept before
                Files.move(shard, beside, StandardCopyOption.ATOMIC_MOVE);
                away.put(shard, beside);
            }
        }
        Set<String> linked = linked(shardsByDataset());
        for (Map.Entry<Path, Path> shard : away.entrySet()) {
            if (linked.contains(name(shard.getKey()))) {
                DurableFiles.move(shard.getValue(), shard.getKey());
            } else {
                Files.deleteIfExists(shard.getValue());
            }
        }
    }

    private static Set<String> linked(Map<String, Set<String>> shards) {
        return shards.values().stream().flatMap(Set::stream).collect(Collectors.toSet());
    }

    /** What each staged dataset names, by its hash. */
    private Map<String, Set<String>> shardsByDataset() throws IOException {
        Map<String, Set<String>> shards = new HashMap<>();
        for (Path folder : list(home.staged(), HASH)) {
            shards.put(name(folder), shardsOf(folder));
        }
        return shards;
    }

    /** Of all files; one with several names counts once. */
    private long bytes() throws IOException {
        return bytes(home);
    }

    /** Size of all that the cache holds. A staged shard may be a second name of a dataset's: a file counts once. */
    public static long bytes(Home home) throws IOException {
        Map<Object, Long> sizes = new HashMap<>();
        for (Path root : List.of(home.datasets(), home.staged(), home.downloads(), home.weights())) {
            if (Files.isDirectory(root)) {
                try (Stream<Path> all = Files.walk(root)) {
                    for (Path file : all.toList()) {
                        count(file, sizes);
                    }
                } catch (UncheckedIOException e) {
                    throw e.getCause();
                }
            }
        }
        return sizes.values().stream().mapToLong(Long::longValue).sum();
    }

    private static void count(Path file, Map<Object, Long> sizes) throws IOException {
        try {
            BasicFileAttributes facts =
                    Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (facts.isRegularFile()) {
                sizes.put(facts.fileKey() == null ? file : facts.fileKey(), facts.size());
            }
        } catch (NoSuchFileException gone) {
            return;
        }
    }

    /** The shards that the links of a staged dataset lead to. */
    private static Set<String> shardsOf(Path staged) throws IOException {
        Set<String> shards = new HashSet<>();
        for (Path link : list(staged, Pattern.compile(".+"))) {
            if (Files.isSymbolicLink(link)) {
                String shard = name(Files.readSymbolicLink(link));
                if (SHARD.matcher(shard).matches()) {
                    shards.add(shard);
                }
            }
        }
        return shards;
    }

    private static List<Path> list(Path folder, Pattern names) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(path -> names.matcher(name(path)).matches()).toList();
        } catch (NoSuchFileException none) {
            return List.of();
        }
    }

    private static String name(Path path) {
        return path.getFileName().toString();
    }
}
