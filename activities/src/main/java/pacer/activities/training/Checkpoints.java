package pacer.activities.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The checkpoints of a run, as far as a training attempt needs to know before the trainer looks for itself. */
final class Checkpoints {
    private static final Pattern NAME = Pattern.compile("step-(\\d{1,9})");

    private Checkpoints() {}

    /** Step of the newest complete checkpoint in {@code folder}; 0 when there is none. */
    static int newestStep(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(path -> Files.exists(path.resolve("manifest.json")))
                    .map(path -> NAME.matcher(path.getFileName().toString()))
                    .filter(Matcher::matches)
                    .mapToInt(name -> Integer.parseInt(name.group(1)))
                    .max()
                    .orElse(0);
        }
    }
}
