package pacer.activities.process;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import pacer.trainer.Trainer;

/**
 * How a main class of the trainer is started.
 *
 * @param java the executable and its options, class path included
 */
public record JavaCommand(List<String> java) {
    private static final List<String> FLAGS = Stream.concat(
                    Trainer.JVM_FLAGS.stream(),
                    // why it does not start, or crashes, belongs to its log: standard output is for events
                    Stream.of("-XX:+UseSerialGC", "-XX:+DisplayVMOutputToStderr"))
            .toList();

    public JavaCommand {
        java = List.copyOf(java);
    }

    /**
     * The Java and class path of this process.
     *
     * @param environment {@code PACER_TRAINER_JAVA_OPTIONS}, split at blanks, is added to the options
     */
    public static JavaCommand ofThisProcess(Map<String, String> environment) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(FLAGS);
        String more = environment.getOrDefault("PACER_TRAINER_JAVA_OPTIONS", "").strip();
        if (!more.isEmpty()) {
            command.addAll(List.of(more.split("\\s+", -1)));
        }
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        return new JavaCommand(command);
    }

    /** The whole command line for {@code mainClass}. */
    public List<String> line(String mainClass, List<String> arguments) {
        List<String> line = new ArrayList<>(java);
        line.add(mainClass);
        line.addAll(arguments);
        return line;
    }
}
