package pacer.workflows.stack;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.activities.run.RunJson;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.ProcessIdentity;
import pacer.workflows.codec.PayloadKeys;

/**
 * {@code stack.json}: how the stack was started last, and what of it runs.
 *
 * @param bind address that its servers listen on
 * @param s3Key the S3 server's user, made for this stack
 * @param s3Secret and its password; nobody but the owner may read the stack's folder
 * @param docker whether Docker runs it; then it lists no processes
 * @param payloadKeys the file of keys by which payloads are encrypted; null where they are not
 * @param running processes
 */
record StackState(
        String bind,
        Map<Port, Integer> ports,
        String s3Key,
        String s3Secret,
        boolean docker,
        String payloadKeys,
        List<Running> running) {
    static final String NAME = "stack.json";

    StackState {
        Map<Port, Integer> all = Port.usual(); // a state of before a port existed lacks it
        all.putAll(ports == null ? Map.of() : ports);
        ports = new EnumMap<>(all);
        running = running == null ? List.of() : List.copyOf(running);
    }

    /** A server's process. */
    record Running(Server server, ProcessIdentity process) {}

    /** Of a stack that was never up. */
    static StackState fresh() {
        byte[] secret = new byte[20];
        new SecureRandom().nextBytes(secret);
        return new StackState(
                "127.0.0.1", Port.usual(), "pacer", HexFormat.of().formatHex(secret), false, null, List.of());
    }

    /**
     * What {@code folder} says; empty where no stack was up there.
     *
     * @throws IOException naming the file when it cannot be read
     */
    static Optional<StackState> read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(RunJson.MAPPER.readValue(file.toFile(), StackState.class));
        } catch (IOException e) {
            throw new IOException(file + ": not readable (" + e.getMessage() + "); end its processes and delete it", e);
        }
    }

    /** The same, or one of a stack that was never up. */
    static StackState readOrFresh(Path folder) throws IOException {
        return read(folder).orElseGet(StackState::fresh);
    }

    void write(Path folder) throws IOException {
        DurableFiles.write(
                folder.resolve(NAME),
                RunJson.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
    }

    /** The process of {@code server}, if it lives. */
    Optional<ProcessHandle> alive(Server server) {
        return running.stream().filter(r -> r.server() == server).findFirst().flatMap(r -> r.process()
                .find());
    }

    int port(Port port) {
        return ports.get(port);
    }

    /** Where clients on this machine find {@code port}. */
    String address(Port port) {
        String host = bind.equals("0.0.0.0") ? "127.0.0.1" : bind.equals("::") ? "::1" : bind;
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port(port);
    }

    String url(Port port) {
        return "http://" + address(port);
    }

    StackState bound(String address, Map<Port, Integer> changed) {
        return new StackState(address, changed, s3Key, s3Secret, docker, payloadKeys, running);
    }

    StackState byDocker(boolean isIt) {
        return new StackState(bind, ports, s3Key, s3Secret, isIt, payloadKeys, running);
    }

    /** With payloads encrypted as {@code environment} says: as last time where it does not, not at all where it names nothing. */
    StackState encrypted(Map<String, String> environment) {
        String file = environment.get(PayloadKeys.VARIABLE);
        String keys = file == null
                ? payloadKeys
                : file.isBlank() ? null : Path.of(file.strip()).toAbsolutePath().toString();
        return new StackState(bind, ports, s3Key, s3Secret, docker, keys, running);
    }

    StackState with(Running started) {
        List<Running> all = new ArrayList<>(without(started.server()).running);
        all.add(started);
        return new StackState(bind, ports, s3Key, s3Secret, docker, payloadKeys, all);
    }

    StackState without(Server server) {
        return new StackState(
                bind,
                ports,
                s3Key,
                s3Secret,
                docker,
                payloadKeys,
                running.stream().filter(r -> r.server() != server).toList());
    }
}
