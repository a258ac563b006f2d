package pacer.trainer.spec;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The presets that come with pacer, in the order in which a newcomer would try them. */
public final class Presets {
    private static final List<String> FIRST = List.of("quickstart", "shakespeare-char-cpu", "shakespeare-char");
    private static final List<String> OTHERS = List.of(
            "scaleup-1b",
            "llmc-124m",
            "llmc-350m",
            "llmc-774m",
            "llmc-1558m",
            "openwebtext-124m",
            "finetune-shakespeare-small",
            "finetune-shakespeare",
            "eval-gpt2",
            "eval-gpt2-medium",
            "eval-gpt2-large",
            "eval-gpt2-xl");
    private static final int FIRST_RECORD = 1;
    private static final int LAST_RECORD = 18;

    /** Names, as {@link SpecLoader#load} takes them. */
    public static final List<String> NAMES = Stream.of(
                    FIRST.stream(),
                    IntStream.rangeClosed(FIRST_RECORD, LAST_RECORD).mapToObj(Presets::record),
                    OTHERS.stream())
            .flatMap(names -> names)
            .toList();

    private Presets() {}

    /** All presets, read whole. */
    public static List<Preset> all() {
        return NAMES.stream().map(Presets::named).toList();
    }

    /**
     * One preset with what its header says: one of these, or one's own in a file.
     *
     * @param name as {@link SpecLoader#load} takes it
     * @throws SpecException when there is none of that name
     */
    public static Preset named(String name) {
        RunSpec spec = SpecLoader.load(name, List.of(), List.of());
        String text = new String(yaml(name).orElseGet(() -> ofFile(name)), StandardCharsets.UTF_8);
        List<String> header = text.lines()
                .takeWhile(line -> line.startsWith("#"))
                .map(line -> line.substring(1).strip())
                .toList();
        return new Preset(spec, header);
    }

    private static byte[] ofFile(String name) {
        try {
            return Files.readAllBytes(Path.of(name));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + name, e);
        }
    }

    /** The preset's file; empty when there is none of that name. */
    static Optional<byte[]> yaml(String name) {
        if (!NAMES.contains(name)) {
            return Optional.empty();
        }
        try (InputStream in = Presets.class.getResourceAsStream("/" + source(name))) {
            return Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read preset " + name, e);
        }
    }

    static String source(String name) {
        return "presets/" + name + ".yaml";
    }

    static String known() {
        return "presets are %s, %s to %s, %s; for a file of your own give its path, ./mine.yaml"
                .formatted(
                        String.join(", ", FIRST), record(FIRST_RECORD), record(LAST_RECORD), String.join(", ", OTHERS));
    }

    /** The preset of a record of the NanoGPT speedrun. */
    private static String record(int number) {
        return "speedrun-%02d".formatted(number);
    }
}
