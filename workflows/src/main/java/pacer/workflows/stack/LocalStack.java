package pacer.workflows.stack;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import pacer.activities.run.BadInputException;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.ProcessIdentity;
import pacer.workflows.Retention;
import pacer.workflows.codec.PayloadKeys;

/** The stack as processes of this machine that outlive the command which starts them. */
public final class LocalStack {
    private static final Duration START = Duration.ofSeconds(90);
    private static final Duration STOP = Duration.ofSeconds(20);

    /** A worker in a training writes a checkpoint first. */
    private static final Duration STOP_WORKER = Duration.ofMinutes(2);

    private static final long LOOK_MILLIS = 50;
    private static final int LAST_WORDS = 8;
    private static final int STARTS = 3;

    private final StackFolder folder;
    private final Map<String, String> environment;

    public LocalStack(Map<String, String> environment) {
        this.folder = StackFolder.of(environment);
        this.environment = environment;
    }

    /**
     * What is known of a server.
     *
     * @param state {@code up}, {@code starting}, {@code down}, {@code absent} (there is no program for it)
     * @param started whether this call started it
     * @param seconds until it was ready
     */
    public record Standing(
            String name, String state, String address, Long pid, Path log, boolean started, double seconds) {}

    /** Where the stack's things are. */
    public Path folder() {
        return folder.path();
    }

    /** Whether every server's program is there. */
    public boolean installed() {
        return Arrays.stream(Server.values())
                .filter(server -> server.program() != null)
                .allMatch(server -> Files.isExecutable(folder.tool(server)));
    }

    /** The folder of programs, for {@code infra/local/install}. */
    public Path tools() {
        return folder.tools();
    }

    /**
     * Starts what does not run yet, one after the other, each ready before the next begins.
     *
     * @param bind address to listen on; null as last time
     * @param ports settings {@code NAME=PORT}; others as last time
     * @param listener hears of each server
     * @throws BadInputException for wrong settings, a port in use, settings that differ from those of what runs
     * @throws IOException naming the server that did not start, with its last words
     */
    public void up(String bind, List<String> ports, Consumer<Standing> listener)
            throws IOException, InterruptedException {
        folder.create();
        try (FileGuard _ = FileGuard.take(folder.path().resolve(".lock"), () -> {})) {
            StackState before = StackState.readOrFresh(folder.path());
            StackState state = before.bound(bind == null ? before.bind() : bind, Port.with(before.ports(), ports))
                    .byDocker(false)
                    .encrypted(environment);
            requireReadable(state);
            requireUnchanged(before, state);
            state.write(folder.path());
            for (Server server : Server.values()) {
                state = up(server, state, listener);
                if (server == Server.TEMPORAL) {
                    Retention.extend(state.address(Port.TEMPORAL), Retention.OF_THE_STACK);
                }
            }
        }
    }

    /**
     * Looks at settings {@code NAME=PORT}, others being as last time, before anything is done.
     *
     * @throws BadInputException with every fault
     */
    public void requirePorts(List<String> settings) throws IOException {
        Map<Port, Integer> _ = Port.with(StackState.readOrFresh(folder.path()).ports(), settings);
    }

    /** Rather than have each server say so in its log. */
    private static void requireReadable(StackState state) throws IOException {
        if (state.payloadKeys() != null) {
            PayloadKeys _ = PayloadKeys.of(Map.of(PayloadKeys.VARIABLE, state.payloadKeys()));
        }
    }

    private static void requireUnchanged(StackState before, StackState state) {
        boolean same = before.bind().equals(state.bind())
                && before.ports().equals(state.ports())
                && Objects.equals(before.payloadKeys(), state.payloadKeys());
        boolean runs =
                Arrays.stream(Server.values()).anyMatch(s -> before.alive(s).isPresent());
        if (runs && !same) {
            throw new BadInputException("the stack is up with other addresses, or another " + PayloadKeys.VARIABLE
                    + "; end it first: pacer down");
        }
    }

    private StackState up(Server server, StackState state, Consumer<Standing> listener)
            throws IOException, InterruptedException {
        Optional<Service> service = new Services(folder, state, environment).of(server);
        if (service.isEmpty()) {
            absent(server).ifPresent(listener);
            return state;
        }
        long begun = System.nanoTime();
        boolean start = state.alive(server).isEmpty();
        long said = Logs.size(folder.log(server));
        StackState now = start ? start(service.get(), state) : state;
        for (int starts = 1; !awaitReady(service.get(), now); starts++) {
            if (starts == STARTS || !lostPort(server, said)) {
                throw ended(service.get());
            }
            said = Logs.size(folder.log(server));
            now = start(service.get(), state);
        }
        listener.accept(standing(service.get(), now, start, (System.nanoTime() - begun) / 1e9));
        return now;
    }

    private void requireFree(Server server, StackState state) throws IOException {
        for (Port port : server.ports()) {
            try {
                new ServerSocket(state.port(port), 1, InetAddress.getByName(state.bind())).close();
            } catch (BindException e) {
                throw new BadInputException(
                        "port %d, for %s, cannot be had on %s (%s); give another: pacer up --port %s=NUMBER"
                                .formatted(state.port(port), port.label(), state.bind(), e.getMessage(), port.label()));
            }
        }
    }

    private StackState start(Service service, StackState state) throws IOException {
        requireFree(service.server(), state);
        StackState now = state.with(new StackState.Running(service.server(), process(service)));
        now.write(folder.path()); // before it is ready: whoever is interrupted here can end it
        return now;
    }

    private ProcessIdentity process(Service service) throws IOException {
        Path log = folder.log(service.server());
        Files.createDirectories(log.getParent());
        List<String> command = new ArrayList<>();
        // a session of its own: a Ctrl-C meant for something else does not reach it
        for (String setsid : List.of("/usr/bin/setsid", "/bin/setsid")) {
            if (command.isEmpty() && Files.isExecutable(Path.of(setsid))) {
                command.add(setsid);
            }
        }
        command.addAll(service.command());
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.path().toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        StackEnvironment.removeFrom(builder.environment());
        builder.environment().putAll(service.environment());
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new IOException(
                    "%s does not start: %s".formatted(service.server().label(), e.getMessage()), e);
        }
        return ProcessIdentity.of(process.toHandle()).orElseThrow(() -> ended(service));
    }

    /** Whether it is ready; false when it ended. */
    private boolean awaitReady(Service service, StackState state) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + START.toNanos();
        while (!service.ready()) {
            if (state.alive(service.server()).isEmpty()) {
                return false;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("%s does not answer after %d s; its log: %s"
                        .formatted(service.server().label(), START.toSeconds(), folder.log(service.server())));
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return true;
    }

    /** Temporal finds further ports for its parts itself, and now and then another program is faster. */
    private boolean lostPort(Server server, long said) {
        return Logs.since(folder.log(server), said).contains("address already in use");
    }

    private IOException ended(Service service) {
        return new IOException("%s ended as soon as it was started; its log, %s, ends with:%n%s"
                .formatted(
                        service.server().label(),
                        folder.log(service.server()),
                        String.join(System.lineSeparator(), Logs.last(folder.log(service.server()), LAST_WORDS))));
    }

    /** How each server stands; empty where no stack was ever up here. */
    public List<Standing> status() throws IOException, InterruptedException {
        Optional<StackState> state = StackState.read(folder.path());
        List<Standing> all = new ArrayList<>();
        if (state.isEmpty()) {
            return all;
        }
        for (Server server : Server.values()) {
            Optional<Service> service = new Services(folder, state.get(), environment).of(server);
            if (service.isPresent()) {
                all.add(standing(service.get(), state.get(), false, 0));
            } else {
                absent(server).ifPresent(all::add);
            }
        }
        return all;
    }

    /** Nobody misses a codec where nothing is encrypted. */
    private static Optional<Standing> absent(Server server) {
        return server == Server.CODEC
                ? Optional.empty()
                : Optional.of(new Standing(server.label(), "absent", null, null, null, false, 0));
    }

    private Standing standing(Service service, StackState state, boolean started, double seconds)
            throws InterruptedException {
        Optional<ProcessHandle> process = state.alive(service.server());
        String how = process.isEmpty() ? "down" : service.ready() ? "up" : "starting";
        return new Standing(
                service.server().label(),
                how,
                service.address(),
                process.map(ProcessHandle::pid).orElse(null),
                folder.log(service.server()),
                started,
                seconds);
    }

    /**
     * Ends what runs, last started first: the worker's training writes a checkpoint before the services that it needs go.
     *
     * @param listener hears the name of each that ended, and how
     */
    public void down(Consumer<String> listener) throws IOException, InterruptedException {
        Optional<StackState> found = StackState.read(folder.path());
        if (found.isEmpty()) {
            return;
        }
        try (FileGuard _ = FileGuard.take(folder.path().resolve(".lock"), () -> {})) {
            StackState state = StackState.read(folder.path()).orElseThrow();
            for (Server server : Arrays.stream(Server.values())
                    .sorted(Comparator.reverseOrder())
                    .toList()) {
                Optional<ProcessHandle> process = state.alive(server);
                if (process.isPresent()) {
                    listener.accept(
                            server.label() + (end(process.get(), server) ? "" : " (killed: it did not end in time)"));
                }
                state = state.without(server);
                state.write(folder.path());
            }
        }
    }

    /** Whether it ended when asked; it is killed otherwise. What it started ends with it. */
    private static boolean end(ProcessHandle process, Server server) throws InterruptedException {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroy();
        long deadline = System.nanoTime() + (server == Server.WORKER ? STOP_WORKER : STOP).toNanos();
        while (process.isAlive() && System.nanoTime() < deadline) {
            Thread.sleep(LOOK_MILLIS);
        }
        boolean ended = !process.isAlive();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        while (process.isAlive()) {
            Thread.sleep(LOOK_MILLIS); // its port and its files are free when this returns
        }
        return ended;
    }

    /** Log files by server, of those that have one. */
    public Map<String, Path> logs() {
        Map<String, Path> logs = new LinkedHashMap<>();
        for (Server server : Server.values()) {
            if (Files.exists(folder.log(server))) {
                logs.put(server.label(), folder.log(server));
            }
        }
        return logs;
    }
}
