package pacer.workflows;

import io.temporal.envconfig.ClientConfigProfile;
import io.temporal.envconfig.LoadClientConfigProfileOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import pacer.activities.run.BadInputException;
import pacer.trainer.CacheFolder;
import pacer.workflows.codec.PayloadKeys;
import pacer.workflows.stack.StackEnvironment;

/** Where the Temporal service is: at an address, where one is given, else inside this process. */
public final class TemporalAddress {
    /** The address that means the service inside this process, whatever else is configured. */
    public static final String EMBEDDED = "embedded";

    private static final Pattern HOST_AND_PORT =
            Pattern.compile("(?:[a-z]+:///)?(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.%]+]):([0-9]{1,5})");

    private static final TemporalAddress HERE = new TemporalAddress(null, null, PayloadKeys.none());

    private final ClientConfigProfile profile; // null for the service inside this process
    private final String origin;
    private final PayloadKeys keys;

    private TemporalAddress(ClientConfigProfile profile, String origin, PayloadKeys keys) {
        this.keys = keys;
        this.profile = profile;
        this.origin = origin;
    }

    /** The service inside this process. */
    public static TemporalAddress embedded() {
        return HERE;
    }

    /**
     * Finds it.
     *
     * @param address host and port, or {@link #EMBEDDED}; null looks at {@code TEMPORAL_ADDRESS} and {@code temporal.toml}, and
     *     takes the embedded service where those name none either
     * @throws BadInputException when the address is none, or the keys of payloads are not readable
     * @throws IOException in one line for people, when the configuration is wrong
     */
    public static TemporalAddress find(String address, Map<String, String> environment) throws IOException {
        if (EMBEDDED.equals(address)) {
            return HERE;
        }
        Optional<ClientConfigProfile> profile = configured(environment);
        if (address != null) {
            ClientConfigProfile given = profile.orElse(ClientConfigProfile.getDefaultInstance());
            return at(given.toBuilder().setAddress(address).build(), "--temporal", environment);
        }
        String origin = environment.containsKey("TEMPORAL_ADDRESS")
                ? environment.getOrDefault(StackEnvironment.ORIGIN, "TEMPORAL_ADDRESS")
                : "temporal.toml";
        boolean named = profile.isPresent()
                && profile.get().getAddress() != null
                && !profile.get().getAddress().isBlank();
        return named ? at(profile.get(), origin, environment) : HERE;
    }

    /** gRPC would take an address in any form, to complain of it seconds later. */
    private static TemporalAddress at(ClientConfigProfile profile, String origin, Map<String, String> environment)
            throws IOException {
        String address = profile.getAddress();
        Matcher parts = HOST_AND_PORT.matcher(address);
        if (!parts.matches() || Integer.parseInt(parts.group(1)) < 1 || Integer.parseInt(parts.group(1)) > 65_535) {
            throw new BadInputException(
                    "%s %s: must be HOST:PORT with a port from 1 to 65535, such as localhost:7233, or %s"
                            .formatted(origin, address, EMBEDDED));
        }
        return new TemporalAddress(profile, origin, PayloadKeys.of(environment));
    }

    private static Optional<ClientConfigProfile> configured(Map<String, String> environment) throws IOException {
        boolean mentioned = environment.keySet().stream().anyMatch(name -> name.startsWith("TEMPORAL_"));
        if (!mentioned && usualFiles(environment).noneMatch(Files::exists)) {
            return Optional.empty(); // the parser's start is not for nothing
        }
        try {
            return Optional.of(load(environment, false));
        } catch (NullPointerException e) {
            // so the SDK's parser fails (1.38) of a file without a profile: one that says nothing
            return Optional.of(load(environment, true));
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException("temporal.toml: " + e.getMessage(), e);
        }
    }

    private static ClientConfigProfile load(Map<String, String> environment, boolean withoutFile) throws IOException {
        LoadClientConfigProfileOptions.Builder options = LoadClientConfigProfileOptions.newBuilder()
                .setEnvOverrides(environment)
                .setDisableFile(withoutFile);
        if (environment.getOrDefault("TEMPORAL_CONFIG_FILE", "").isBlank()) {
            // the SDK looks for it in the folder that the system tells, whatever HOME says
            usualFiles(environment)
                    .filter(Files::exists)
                    .findFirst()
                    .ifPresent(file -> options.setConfigFilePath(file.toString()));
        }
        return ClientConfigProfile.load(options.build());
    }

    private static Stream<Path> usualFiles(Map<String, String> environment) {
        Path home = Path.of(CacheFolder.home(environment));
        return Stream.of(
                home.resolve(".config/temporalio/temporal.toml"),
                home.resolve("Library/Application Support/temporalio/temporal.toml"),
                Path.of(environment.getOrDefault("APPDATA", "."), "temporalio", "temporal.toml"));
    }

    /** Whether the service is the one inside this process. */
    public boolean isEmbedded() {
        return profile == null;
    }

    /** How to reach it; null where it is inside this process. */
    ClientConfigProfile profile() {
        return profile;
    }

    /** By which what it is sent is encrypted; none for the service inside this process, whose memory is this process's. */
    PayloadKeys keys() {
        return keys;
    }

    /** What named it. */
    String origin() {
        return origin;
    }

    /** Without its secrets. */
    @Override
    public String toString() {
        return isEmbedded() ? EMBEDDED : profile.getAddress() + " (" + origin + ")";
    }
}
