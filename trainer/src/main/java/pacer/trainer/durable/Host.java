package pacer.trainer.durable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The machine, or container, that this process runs on. */
public final class Host {
    private static final Path NAME = Path.of("/proc/sys/kernel/hostname");
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");

    /** Names a host otherwise than its system does: where two would have one name. */
    private static final String VARIABLE = "PACER_HOST";

    private Host() {}

    /** Its name: what {@value #VARIABLE} says, else the system. */
    public static String name() {
        String given = System.getenv(VARIABLE);
        return given != null && !given.isBlank() ? given.strip() : systemName();
    }

    private static String systemName() {
        return read(NAME).orElseGet(() -> {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException unnamed) {
                return "localhost";
            }
        });
    }

    /** Which of its boots this is; empty where the system does not say. */
    static Optional<String> boot() {
        return read(BOOT);
    }

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException notOnThisSystem) {
            return Optional.empty();
        }
    }
}
