package pacer.trainer.dist;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import pacer.trainer.durable.DurableFiles;

/** Where ranks find rank 0. */
public sealed interface Rendezvous {

    /** Rank 0 listens at a known address: for ranks on several hosts. */
    record Address(String host, int port) implements Rendezvous {
        public Address {
            if (host.isBlank() || port < 1 || port > 65_535) {
                throw new IllegalArgumentException(
                        "rendezvous " + host + ":" + port + " must be a host and a port from 1 to 65535");
            }
        }
    }

    /** Rank 0 listens at a free port of this host's address and writes it to {@code file}: for ranks on one machine. */
    record Published(Path file) implements Rendezvous {}

    /** Reads {@code host:port} (an IPv6 address in brackets) or {@code file:PATH}. */
    static Rendezvous parse(String text) {
        if (text.startsWith("file:") && text.length() > "file:".length()) {
            return new Published(Path.of(text.substring("file:".length())));
        }
        int colon = text.lastIndexOf(':');
        String port = text.substring(colon + 1);
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isBlank() || !port.matches("\\d{1,5}")) {
            throw new IllegalArgumentException("rendezvous \"" + text + "\" must be host:port or file:PATH");
        }
        return new Address(host, Integer.parseInt(port));
    }

    /** Where rank 0 is to listen. */
    default InetSocketAddress toListen(InetAddress own) {
        return switch (this) {
            case Address address -> new InetSocketAddress(address.host(), address.port());
            case Published _ -> new InetSocketAddress(own, 0);
        };
    }

    /** Makes known where rank 0 listens. */
    default void publish(int port) throws IOException {
        if (this instanceof Published(Path file)) {
            // so that it is read whole or not at all
            DurableFiles.write(file, Integer.toString(port).getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** Takes it back, once every rank is there. */
    default void withdraw() throws IOException {
        if (this instanceof Published(Path file)) {
            Files.deleteIfExists(file);
        }
    }

    /** Where to connect to now; empty while rank 0 has said nothing yet. */
    default Optional<InetSocketAddress> toConnect(InetAddress own) throws IOException {
        return switch (this) {
            case Address address -> Optional.of(new InetSocketAddress(address.host(), address.port()));
            case Published(Path file) -> {
                try {
                    String port = Files.readString(file).strip();
                    if (!port.matches("\\d{1,5}")) {
                        throw new IOException(file + ": must hold the port of rank 0");
                    }
                    yield Optional.of(new InetSocketAddress(own, Integer.parseInt(port)));
                } catch (NoSuchFileException notYet) {
                    yield Optional.empty();
                }
            }
        };
    }
}
