package pacer.workflows.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import pacer.activities.run.Machine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;

@Command(name = "version", description = "Show pacer's version, commit and Java.")
final class VersionCommand implements Callable<Integer>, IVersionProvider {
    @Mixin
    private OutputOption output;

    private final Console console;

    VersionCommand(Console console) {
        this.console = console;
    }

    private record Version(String pacer, String commit, String java, String os) {}

    private static Version found(Map<String, String> environment) {
        String commit = environment.getOrDefault("PACER_COMMIT", "");
        return new Version(
                Machine.version(),
                commit.isEmpty() ? null : commit,
                Runtime.version() + ", " + System.getProperty("java.vendor"),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    }

    @Override
    public Integer call() {
        if (output.json()) {
            console.json(found(console.environment()));
        } else {
            for (String line : getVersion()) {
                console.println(line);
            }
        }
        return Exit.OK;
    }

    @Override
    public String[] getVersion() {
        Version version = found(console.environment());
        return new String[] {
            "pacer " + version.pacer() + (version.commit() == null ? "" : " (" + version.commit() + ")"),
            "Java " + version.java() + ", " + version.os()
        };
    }
}
