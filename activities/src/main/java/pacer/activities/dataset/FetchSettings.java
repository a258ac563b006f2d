package pacer.activities.dataset;

import java.time.Duration;
import java.util.Map;
import javax.net.ssl.SSLContext;
import pacer.activities.store.S3Settings;

/**
 * What a download may do.
 *
 * @param allowPrivate see {@link UrlGuard}
 * @param maxBytes larger files are refused
 * @param stall a connection that brings nothing for this long is given up
 * @param trust whom to trust; null takes the system's certificates
 * @param s3 how objects of S3 are reached
 */
public record FetchSettings(boolean allowPrivate, long maxBytes, Duration stall, SSLContext trust, S3Settings s3) {

    FetchSettings(boolean allowPrivate, long maxBytes, Duration stall, SSLContext trust) {
        this(allowPrivate, maxBytes, stall, trust, S3Settings.of(Map.of()));
    }

    /** The usual ones; {@code PACER_ALLOW_PRIVATE_URLS=true} allows private addresses. */
    public static FetchSettings of(Map<String, String> environment) {
        boolean allowPrivate = Boolean.parseBoolean(environment.getOrDefault("PACER_ALLOW_PRIVATE_URLS", "false"));
        return new FetchSettings(allowPrivate, 1L << 40, Duration.ofSeconds(60), null, S3Settings.of(environment));
    }
}
