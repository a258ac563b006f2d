package pacer.activities.publishing.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import pacer.activities.run.RunFolder;

/** The texts that a run's evaluation wrote: {@code samples/final-1.txt} and on. */
public final class FinalSamples {
    private static final Pattern NAME = Pattern.compile("final-[0-9]+\\.txt");

    private FinalSamples() {}

    /** At most {@code most} of them, in order; what is no UTF-8 is marked with U+FFFD. */
    public static List<String> read(RunFolder folder, int most) throws IOException {
        List<String> texts = new ArrayList<>();
        if (!Files.isDirectory(folder.samples())) {
            return texts;
        }
        try (Stream<Path> files = Files.list(folder.samples())) {
            List<Path> ours = files.filter(
                            f -> NAME.matcher(f.getFileName().toString()).matches())
                    .sorted((a, b) -> Integer.compare(number(a), number(b)))
                    .limit(most)
                    .toList();
            for (Path file : ours) {
                texts.add(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
            }
        }
        return texts;
    }

    private static int number(Path file) {
        String digits = file.getFileName().toString().replaceAll("[^0-9]", "");
        return Integer.parseInt(digits.substring(0, Math.min(9, digits.length())));
    }
}
