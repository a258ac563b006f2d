package pacer.workflows.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import pacer.activities.run.Home;
import pacer.activities.run.LocalCache;

/** How full the cache is. What staging found in it and what not is counted by {@link RunCounts}. */
final class CacheMeters {
    /** Files are few, but may lie on a network: they are counted no more often than this. */
    private static final Duration MEMORY = Duration.ofSeconds(30);

    private final Home home;
    private final Clock clock;
    private Long bytes;
    private Instant counted = Instant.EPOCH;

    private CacheMeters(Home home, Clock clock) {
        this.home = home;
        this.clock = clock;
    }

    /** @param limit bytes that the cache may take; empty for as many as the disk has */
    static void register(MeterBook book, Home home, Clock clock, OptionalLong limit) {
        CacheMeters cache = new CacheMeters(home, clock);
        book.gauge(
                "pacer_cache_bytes",
                "Size of the cache: downloads, datasets, staged shards and weights on this host.",
                cache::bytes);
        book.gauge(
                "pacer_cache_limit_bytes",
                "What the cache may take: the limit that was set, else what it takes and what the disk has left.",
                () -> cache.limit(limit));
        book.gauge("pacer_cache_disk_bytes", "Size of the disk that the cache lies on.", cache::disk);
        book.gauge("pacer_cache_disk_free_bytes", "What the cache's disk has left.", cache::free);
    }

    private Long limit(OptionalLong set) {
        if (set.isPresent()) {
            return set.getAsLong();
        }
        Long free = free();
        Long used = bytes();
        return free == null || used == null ? null : used + free;
    }

    private Long disk() {
        try {
            return Files.getFileStore(home.cache()).getTotalSpace();
        } catch (IOException e) {
            return null;
        }
    }

    private Long free() {
        try {
            return Files.getFileStore(home.cache()).getUsableSpace();
        } catch (IOException e) {
            return null; // there is no cache yet
        }
    }

    private synchronized Long bytes() {
        Instant now = clock.instant();
        if (counted.plus(MEMORY).isBefore(now)) {
            try {
                bytes = LocalCache.bytes(home);
            } catch (IOException e) {
                bytes = null; // a folder that cannot be read: whoever works with it says so
            }
            counted = now;
        }
        return bytes;
    }
}
