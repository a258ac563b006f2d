package pacer.activities.store;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Map;
import java.util.Optional;
import pacer.activities.run.BadInputException;

/**
 * How S3 is reached, by the variables that the AWS tools know.
 *
 * @param endpoint of a service other than Amazon's
 * @param region empty: as the AWS SDK finds it
 * @param keys empty: as the AWS SDK finds them
 * @param checksums whether the server is sent checksums to prove what arrives; some services refuse them
 */
public record S3Settings(Optional<URI> endpoint, Optional<String> region, Optional<Keys> keys, boolean checksums) {

    /** Credentials that the environment names. */
    record Keys(String id, String secret, Optional<String> token) {
        @Override
        public String toString() {
            return "keys"; // never in a log
        }
    }

    /**
     * The settings that {@code environment} names.
     *
     * @throws BadInputException when one of them is of no use
     */
    public static S3Settings of(Map<String, String> environment) {
        Optional<URI> endpoint =
                first(environment, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL").map(S3Settings::endpoint);
        Optional<String> region = first(environment, "AWS_REGION", "AWS_DEFAULT_REGION")
                .or(() -> endpoint.map(_ -> "us-east-1")); // such services name but one, mostly this
        // not left to the SDK: it would not see what pacer adds to the environment of its commands
        Optional<Keys> keys = first(environment, "AWS_ACCESS_KEY_ID")
                .flatMap(id -> first(environment, "AWS_SECRET_ACCESS_KEY")
                        .map(secret -> new Keys(id, secret, first(environment, "AWS_SESSION_TOKEN"))));
        boolean checksums = first(environment, "AWS_REQUEST_CHECKSUM_CALCULATION")
                .filter("when_required"::equalsIgnoreCase)
                .isEmpty();
        return new S3Settings(endpoint, region, keys, checksums);
    }

    private static Optional<String> first(Map<String, String> environment, String... names) {
        for (String name : names) {
            String value = environment.getOrDefault(name, "").strip();
            if (!value.isEmpty()) {
                return Optional.of(value);
            }
        }
        return Optional.empty();
    }

    private static URI endpoint(String text) {
        try {
            URI uri = new URI(text);
            boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (web && uri.getHost() != null && uri.getRawUserInfo() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            throw noEndpoint();
        }
        throw noEndpoint();
    }

    /** Without the value: somebody may have put a password in it. */
    private static BadInputException noEndpoint() {
        return new BadInputException(
                "AWS_ENDPOINT_URL_S3: no address of a service; write http://HOST:PORT or https://HOST, without user and password");
    }
}
