package pacer.workflows.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "completion",
        description = "Print a completion script for bash and zsh.",
        footer = "Use it: source <(pacer completion)")
final class CompletionCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    private final Console console;

    CompletionCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CommandLine root = spec.root().commandLine();
        Commands.NAMES.stream()
                .filter(name -> !root.getSubcommands().containsKey(name))
                .forEach(name -> root.addSubcommand(name, Commands.create(name, console)));
        String script = AutoComplete.bash("pacer", root);
        console.out().out().print(Completions.finish(script, PlaceOptions.standardRuns(console.environment())));
        return Exit.OK;
    }
}
