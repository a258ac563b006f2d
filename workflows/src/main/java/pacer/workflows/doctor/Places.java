package pacer.workflows.doctor;

import java.net.URI;

/** Addresses in the forms that each setting has. */
final class Places {
    private static final String HERE = "127.0.0.1";

    private Places() {}

    /** Where to ask what listens at {@code HOST:PORT}, or at a port: one that listens everywhere listens here too. */
    static String url(String listens) {
        int colon = listens.lastIndexOf(':');
        String host = colon < 0 ? "" : listens.substring(0, colon);
        boolean everywhere = host.isEmpty() || host.equals("0.0.0.0") || host.equals("[::]") || host.equals("*");
        return "http://" + (everywhere ? HERE : host) + ":" + listens.substring(colon + 1);
    }

    /** What a browser calls the origin of the page at {@code page}. */
    static String origin(URI page) {
        return page.getScheme() + "://" + page.getHost() + (page.getPort() < 0 ? "" : ":" + page.getPort());
    }
}
