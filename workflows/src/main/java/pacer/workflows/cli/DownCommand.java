package pacer.workflows.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import pacer.workflows.stack.ComposeStack;
import pacer.workflows.stack.LocalStack;
import picocli.CommandLine.Command;

@Command(
        name = "down",
        description = {
            "End the services of pacer up. What they stored stays.",
            "A training writes a checkpoint first, and is gone on with after the next pacer up.%n"
        })
final class DownCommand implements Callable<Integer> {
    private final Console console;

    DownCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        ComposeStack compose = new ComposeStack(console.environment());
        if (compose.isUp()) {
            compose.down(console::println);
            return Exit.OK;
        }
        AtomicInteger ended = new AtomicInteger();
        LocalStack stack = new LocalStack(console.environment());
        stack.down(name -> {
            ended.incrementAndGet();
            console.println("ended " + name);
        });
        console.println(
                ended.get() == 0
                        ? "nothing was up"
                        : "down; what was stored stays in " + Console.shown(stack.folder()));
        return Exit.OK;
    }
}
