package pacer.workflows.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import pacer.workflows.Deployment;
import pacer.workflows.TemporalAddress;
import pacer.workflows.TemporalConnection;
import pacer.workflows.stack.ComposeStack;
import pacer.workflows.stack.LocalStack;
import pacer.workflows.stack.StackEnvironment;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "up",
        description = {
            "Start the services around runs on this machine: Temporal with its UI, MLflow, S3, Prometheus, a worker.",
            "From then on other commands use them. What runs already is left as it is.%n"
        })
final class UpCommand implements Callable<Integer> {
    private static final Duration PROMOTION = Duration.ofSeconds(30);

    @Option(
            names = "--bind",
            paramLabel = "ADDRESS",
            description = "Address to listen on (default: as last time, at first 127.0.0.1).")
    private String bind;

    @Option(
            names = "--port",
            paramLabel = "NAME=PORT",
            description = "Another port, such as mlflow=5001; can be given several times (default: as last time).")
    private List<String> ports = List.of();

    @Option(names = "--docker", description = "By Docker Compose (default: where a Docker engine answers).")
    private boolean docker;

    @Option(names = "--local", description = "As processes of this machine, without Docker.")
    private boolean local;

    @Mixin
    private OutputOption output;

    private final Console console;

    UpCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (docker && local) {
            throw new Mistake("--docker and --local: one of the two");
        }
        warnOfStrangers();
        ComposeStack compose = new ComposeStack(console.environment());
        String unusable = local ? "--local was given" : compose.unusable();
        if (docker && unusable != null) {
            throw new Mistake("--docker: " + unusable);
        }
        if (unusable == null) {
            compose.up(bind, ports, this::say);
        } else {
            say("local processes: " + unusable);
            LocalStack stack = new LocalStack(console.environment());
            stack.requirePorts(ports); // before the servers are installed, which takes minutes
            install(stack);
            List<LocalStack.Standing> all = new ArrayList<>();
            stack.up(bind, ports, standing -> {
                all.add(standing);
                if (!output.json()) {
                    StatusCommand.print(console.out(), standing);
                }
            });
            promote();
            if (output.json()) {
                console.json(all);
            }
        }
        String pacer = console.program();
        say("");
        say("Runs go there now: " + pacer + " run    how it stands: " + pacer + " status    end: " + pacer + " down");
        return Exit.OK;
    }

    /** The stack has one worker: where that has a version, there is no other to take runs. */
    private void promote() throws IOException, InterruptedException {
        Map<String, String> environment = StackEnvironment.added(console.environment());
        Optional<Deployment> version = Deployment.of(environment);
        TemporalAddress address = TemporalAddress.find(null, environment);
        if (version.isPresent() && !address.isEmbedded()) {
            try (TemporalConnection connection = TemporalConnection.open(address)) {
                Optional<Deployment> _ = connection.makeCurrent(version.get(), PROMOTION);
                say("runs are given to " + version.get());
            }
        }
    }

    private void warnOfStrangers() throws IOException {
        if (bind != null && !InetAddress.getByName(bind).isLoopbackAddress()) {
            console.complain("--bind " + bind
                    + ": these servers ask nobody for a password; whoever reaches this address can use them");
        }
    }

    private void install(LocalStack stack) throws IOException, InterruptedException {
        if (stack.installed()) {
            return;
        }
        String home = console.environment().get("PACER_HOME");
        if (home == null) {
            throw new Mistake("the servers are not installed: infra/local/install " + stack.tools());
        }
        say("installing the servers into " + Console.shown(stack.tools()) + " (once; about 1.2 GB, some minutes)");
        Process process = new ProcessBuilder(
                        Path.of(home, "infra", "local", "install").toString(),
                        stack.tools().toString())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        int code = process.waitFor();
        if (code != 0) {
            throw new IOException(String.format(
                    Locale.ROOT,
                    "the servers could not be installed (exit code %d); the lines above say why. With Docker: pacer up --docker",
                    code));
        }
    }

    private void say(String line) {
        if (output.json()) {
            console.errors().println(line);
        } else {
            console.out().flow(line, 2);
        }
    }
}
