package pacer.workflows.stack;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import pacer.activities.run.BadInputException;
import pacer.workflows.codec.PayloadKeys;

/** The stack by Docker Compose: {@code infra/compose.yaml}, told addresses, ports and the S3 server's password by variables. */
public final class ComposeStack {
    private static final long PATIENCE_SECONDS = 10;
    private static final String PROJECT = "pacer";

    private final StackFolder folder;
    private final Map<String, String> environment;

    public ComposeStack(Map<String, String> environment) {
        this.folder = StackFolder.of(environment);
        this.environment = environment;
    }

    /** Whether it was this kind that was started last. */
    public boolean isUp() throws IOException {
        return StackState.read(folder.path()).filter(StackState::docker).isPresent();
    }

    /** Why Docker Compose cannot be used here; null where it can. */
    public String unusable() throws InterruptedException {
        if (environment.get("PACER_HOME") == null) {
            return "infra/compose.yaml is not at hand, as pacer was not started by its launcher";
        }
        if (!answers("docker", "--version")) {
            return "there is no command docker";
        }
        if (!answers("docker", "compose", "version")) {
            return "docker has no plugin compose";
        }
        return answers("docker", "info") ? null : "no Docker engine answers";
    }

    private static boolean answers(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            process.destroyForcibly();
            return ended && process.exitValue() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Builds what has to be built, starts everything and waits until it is ready.
     *
     * @param bind address to listen on; null as last time
     * @param ports settings {@code NAME=PORT}; others as last time
     */
    public void up(String bind, List<String> ports, Consumer<String> listener)
            throws IOException, InterruptedException {
        if (!environment.getOrDefault(PayloadKeys.VARIABLE, "").isBlank()) {
            throw new BadInputException(
                    PayloadKeys.VARIABLE
                            + ": the containers' user cannot read a file that is yours alone; take local processes with: pacer up --local, or see docs/operations.md for Compose");
        }
        folder.create();
        StackState before = StackState.readOrFresh(folder.path());
        Optional<Server> local = before.running().stream()
                .map(StackState.Running::server)
                .filter(server -> before.alive(server).isPresent())
                .findFirst();
        if (local.isPresent()) {
            throw new IOException("the stack is up as local processes; end it first: pacer down");
        }
        StackState state = before.bound(bind == null ? before.bind() : bind, Port.with(before.ports(), ports));
        listener.accept("by Docker Compose: " + file());
        // before it is up: what began of one that fails or is cut off is ended by pacer down, too, and keeps its secret
        state.byDocker(true).write(folder.path());
        require(compose(state, List.of("up", "--build", "--detach", "--wait")), "docker compose up");
    }

    /** Ends it; volumes stay. */
    public void down(Consumer<String> listener) throws IOException, InterruptedException {
        StackState state = StackState.readOrFresh(folder.path());
        require(compose(state, List.of("down", "--timeout", "120")), "docker compose down");
        state.byDocker(false).write(folder.path());
        listener.accept("down; volumes stay");
    }

    /** Prints how it stands; the command's exit code. */
    public int status() throws IOException, InterruptedException {
        return compose(StackState.readOrFresh(folder.path()), List.of("ps"));
    }

    /** Prints a service's log; the command's exit code. */
    public int logs(String service, int lines, boolean follow) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("logs", "--tail", Integer.toString(lines)));
        if (follow) {
            arguments.add("--follow");
        }
        arguments.add(service);
        return compose(StackState.readOrFresh(folder.path()), arguments);
    }

    private Path file() {
        return Path.of(environment.get("PACER_HOME"), "infra", "compose.yaml");
    }

    private int compose(StackState state, List<String> arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("docker", "compose", "--project-name", PROJECT, "--file", file().toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        builder.environment().putAll(variables(state));
        return builder.start().waitFor();
    }

    /** What {@code infra/compose.yaml} takes: a variable a port, such as {@code PACER_PORT_TEMPORAL_UI}. */
    static Map<String, String> variables(StackState state) {
        Map<String, String> all = new HashMap<>();
        all.put("PACER_BIND", state.bind());
        all.put("PACER_S3_KEY", state.s3Key());
        all.put("PACER_S3_SECRET", state.s3Secret());
        state.ports()
                .forEach((port, number) ->
                        all.put("PACER_PORT_" + port.name().toUpperCase(Locale.ROOT), Integer.toString(number)));
        return all;
    }

    private static void require(int code, String what) throws IOException {
        if (code != 0) {
            throw new IOException(what + " failed (exit code " + code
                    + "); its lines above say why. Without Docker: pacer up --local");
        }
    }
}
