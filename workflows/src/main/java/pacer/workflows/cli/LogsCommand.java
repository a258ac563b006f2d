package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import pacer.workflows.stack.ComposeStack;
import pacer.workflows.stack.LocalStack;
import pacer.workflows.stack.Logs;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "logs", description = "Show the log of a service of pacer up.")
final class LogsCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "SERVICE", description = "temporal, mlflow … (default: worker).")
    private String name = "worker";

    @Option(
            names = {"-n", "--lines"},
            paramLabel = "N",
            description = "How many of its last lines (default: 40).")
    private int lines = 40;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with what is added, until Ctrl-C.")
    private boolean follow;

    private final Console console;

    LogsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (lines < 0) {
            throw new Mistake("--lines " + lines + ": must be 0 or more");
        }
        ComposeStack compose = new ComposeStack(console.environment());
        if (compose.isUp()) {
            return compose.logs(name, lines, follow) == 0 ? Exit.OK : Exit.FAILED;
        }
        Map<String, Path> logs = new LocalStack(console.environment()).logs();
        if (logs.isEmpty()) {
            throw new Mistake("there are no logs: nothing was up here yet; start it: " + console.program() + " up");
        }
        if (!logs.containsKey(name)) {
            throw new Mistake("no log of " + name + "; there is " + String.join(", ", logs.keySet()));
        }
        Logs.last(logs.get(name), lines).forEach(line -> console.println(Terminal.harmless(line)));
        if (follow) {
            Logs.follow(logs.get(name), console.out().out());
        }
        return Exit.OK;
    }
}
