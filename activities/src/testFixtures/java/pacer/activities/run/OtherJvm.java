package pacer.activities.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Main classes of tests in processes of their own. */
public final class OtherJvm {
    private OtherJvm() {}

    /** Starts {@code main} with this process's class path; its output goes to {@code log}. */
    public static Process start(Class<?> main, Path log, String... arguments) throws IOException {
        return startWith(System.getProperty("java.class.path"), main, log, arguments);
    }

    /** The same with another class path. */
    public static Process startWith(String classPath, Class<?> main, Path log, String... arguments)
            throws IOException {
        return start(List.of(), Map.of(), classPath, main.getName(), log, arguments);
    }

    /** The same on a host of this name, by a namespace of its own: only Linux's root may. */
    public static Process startOn(String host, Class<?> main, Path log, String... arguments) throws IOException {
        List<String> called = List.of(
                "unshare", "--uts", "sh", "-c", "echo \"$0\" >/proc/sys/kernel/hostname && exec \"$@\"", host);
        return start(called, Map.of(), System.getProperty("java.class.path"), main.getName(), log, arguments);
    }

    /** The same with variables added to the environment. */
    public static Process startIn(
            Map<String, String> environment, String classPath, Class<?> main, Path log, String... arguments)
            throws IOException {
        return start(List.of(), environment, classPath, main.getName(), log, arguments);
    }

    /** Starts a program of one source file, which this process's class path serves too. */
    public static Process startProgram(Path source, Path log, String... arguments) throws IOException {
        return start(List.of(), Map.of(), System.getProperty("java.class.path"), source.toString(), log, arguments);
    }

    private static Process start(
            List<String> prefix,
            Map<String, String> environment,
            String classPath,
            String main,
            Path log,
            String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                classPath,
                main));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        return builder.start();
    }
}
