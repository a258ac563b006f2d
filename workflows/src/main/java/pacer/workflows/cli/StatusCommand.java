package pacer.workflows.cli;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import pacer.workflows.stack.ComposeStack;
import pacer.workflows.stack.LocalStack;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "status",
        description = {"Show how the services of pacer up stand.", "Exits 1 when one of them is down.%n"})
final class StatusCommand implements Callable<Integer> {
    @Mixin
    private OutputOption output;

    private final Console console;

    StatusCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        ComposeStack compose = new ComposeStack(console.environment());
        if (compose.isUp()) {
            return compose.status() == 0 ? Exit.OK : Exit.FAILED;
        }
        List<LocalStack.Standing> all = new LocalStack(console.environment()).status();
        if (output.json()) {
            console.json(all);
        } else if (all.isEmpty()) {
            console.println("nothing is up; start it: " + console.program() + " up");
        } else {
            all.forEach(standing -> print(console.out(), standing));
        }
        return all.stream().allMatch(s -> s.state().equals("up") || s.state().equals("absent")) ? Exit.OK : Exit.FAILED;
    }

    static void print(Terminal out, LocalStack.Standing standing) {
        String mark =
                switch (standing.state()) {
                    case "up" -> out.paint(Tone.GOOD, "✓");
                    case "starting" -> out.paint(Tone.WARN, "●");
                    case "absent" -> "-";
                    default -> out.paint(Tone.BAD, "✗");
                };
        String text =
                switch (standing.state()) {
                    case "up" ->
                        standing.address()
                                + (standing.started()
                                        ? String.format(Locale.ROOT, " (%.1f s)", standing.seconds())
                                        : "");
                    case "absent" -> "no program for it here; " + standing.name() + " is left out";
                    case "starting" -> "runs, but does not answer yet: " + standing.address();
                    default -> "down; its log: " + standing.log();
                };
        out.flow(mark + " " + String.format(Locale.ROOT, "%-11s", standing.name()) + text, 13);
    }
}
