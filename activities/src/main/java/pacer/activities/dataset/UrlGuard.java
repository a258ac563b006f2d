package pacer.activities.dataset;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Arrays;
import pacer.activities.run.BadInputException;

/**
 * Keeps a URL that somebody typed from reaching what only this machine's network can reach. Each hop of a download passes
 * here, redirects too. That a name means another address a moment later, when the connection is made, is left to two things: this
 * JVM keeps what it resolved for half a minute, and whoever answers needs a certificate for that name.
 *
 * @param allowPrivate lets private, loopback and link-local addresses pass: for mirrors inside a network, and for tests
 * @param setting whose address it is, for messages
 */
record UrlGuard(boolean allowPrivate, String setting) {

    UrlGuard(boolean allowPrivate) {
        this(allowPrivate, "dataset.url");
    }

    /**
     * Checks scheme, form and every address of the host.
     *
     * @throws BadInputException naming URL and rule
     * @throws UnknownHostException when the name does not resolve now
     */
    void check(URI uri) throws UnknownHostException {
        if (!"https".equalsIgnoreCase(uri.getScheme())) {
            throw refused(uri, "only https is fetched");
        }
        if (uri.getRawUserInfo() != null) {
            throw refused(uri, "a user or password in a URL would end up in logs; it is not taken");
        }
        if (uri.getHost() == null) {
            throw refused(uri, "it names no host");
        }
        for (InetAddress address : addresses(uri.getHost())) {
            if (!allowPrivate && !isPublic(address)) {
                throw refused(
                        uri,
                        "it leads to " + address.getHostAddress()
                                + ", which is no public address; PACER_ALLOW_PRIVATE_URLS=true allows that");
            }
        }
    }

    /** Java's own message is the bare name. */
    private static InetAddress[] addresses(String host) throws UnknownHostException {
        try {
            return InetAddress.getAllByName(host);
        } catch (UnknownHostException e) {
            throw new UnknownHostException("no address is known of " + host + "; is there a network?");
        }
    }

    /** Whether {@code address} is one of the public internet. */
    static boolean isPublic(InetAddress address) {
        if (address.isAnyLocalAddress()
                || address.isLoopbackAddress()
                || address.isLinkLocalAddress()
                || address.isSiteLocalAddress()
                || address.isMulticastAddress()) {
            return false;
        }
        byte[] b = address.getAddress();
        return switch (address) {
            case Inet4Address four -> isPublic4(b);
            case Inet6Address six -> isPublic6(b);
            default -> false;
        };
    }

    /** RFC 6890's special blocks that {@link InetAddress} does not know. */
    private static boolean isPublic4(byte[] b) {
        int first = b[0] & 0xff;
        int second = b[1] & 0xff;
        int third = b[2] & 0xff;
        return first != 0 // this network
                && !(first == 100 && second >= 64 && second < 128) // carrier-grade NAT
                && !(first == 192 && second == 0 && third == 0) // protocol assignments
                && !(first == 198 && (second == 18 || second == 19)) // benchmarks
                && first < 224; // multicast, reserved, broadcast
    }

    private static boolean isPublic6(byte[] b) {
        int first = b[0] & 0xff;
        int second = b[1] & 0xff;
        if ((first & 0xe0) != 0x20) {
            // only 2000::/3 is handed out, but NAT64 (64:ff9b::/96) reaches an IPv4 address
            return first == 0 && second == 0x64 && (b[2] & 0xff) == 0xff && (b[3] & 0xff) == 0x9b && embedded(b, 12);
        }
        return !(first == 0x20 && second == 0x02) || embedded(b, 2); // 6to4 reaches one too
    }

    private static boolean embedded(byte[] b, int at) {
        try {
            return isPublic(InetAddress.getByAddress(Arrays.copyOfRange(b, at, at + 4)));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are an address", e);
        }
    }

    /** For messages, which go into logs and histories: queries may be signatures, and users' names come with passwords. */
    static String shown(URI uri) {
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        return uri.getHost() == null
                ? String.valueOf(uri.getScheme()) + ":…"
                : uri.getScheme() + "://" + uri.getHost() + port + uri.getRawPath()
                        + (uri.getRawQuery() == null ? "" : "?…");
    }

    private BadInputException refused(URI url, String rule) {
        return new BadInputException(setting + ": " + shown(url) + ": " + rule);
    }
}
