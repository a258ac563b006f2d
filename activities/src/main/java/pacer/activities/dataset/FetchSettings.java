package pacer.activities.dataset;

import java.time.Duration;
import java.util.Map;
import javax.net.ssl.SSLContext;

/**
 * What a download may do.
 *
 * @param allowPrivate see {@link UrlGuard}
 * @param maxBytes larger files are refused
 * @param stall a connection that brings nothing for this long is given up
 * @param trust whom to trust; null takes the system's certificates
 */
public record FetchSettings(boolean allowPrivate, long maxBytes, Duration stall, SSLContext trust) {

    /** The usual ones; {@code PACER_ALLOW_PRIVATE_URLS=true} allows private addresses. */
    public static FetchSettings of(Map<String, String> environment) {
        boolean allowPrivate = Boolean.parseBoolean(environment.getOrDefault("PACER_ALLOW_PRIVATE_URLS", "false"));
        return new FetchSettings(allowPrivate, 1L << 40, Duration.ofSeconds(60), null);
    }
}
