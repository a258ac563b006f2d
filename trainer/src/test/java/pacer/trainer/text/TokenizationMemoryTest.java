package pacer.trainer.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.data.Split;
import pacer.trainer.spec.DatasetSpec.Format;
import pacer.trainer.spec.DatasetSpec.Tokenizer;

/** A JVM with little memory tokenizes files several times its size. */
class TokenizationMemoryTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"TEXT, GPT2, 200", "JSONL, CHARACTERS, 80"})
    void doesNotGrowWithTheFile(Format format, Tokenizer tokenizer, int mebibytes) throws Exception {
        Path raw = folder.resolve("raw");
        long bytes = generate(raw, format, mebibytes);
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx48m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        raw.toString(),
                        format.name(),
                        tokenizer.name(),
                        folder.resolve("out").toString())
                .redirectErrorStream(true)
                .start();
        try {
            String output = new String(child.getInputStream().readAllBytes(), UTF_8);
            assertThat(child.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(child.exitValue()).as(output).isZero();
            long tokens = Long.parseLong(output.strip());
            assertThat(tokens).isBetween(bytes / 6, bytes);
        } finally {
            child.destroyForcibly();
        }
    }

    /** Tokenizes in two threads and prints the number of tokens. */
    static final class Child {
        public static void main(String[] args) throws Exception {
            Tokenization.Result result = new Tokenization(
                            Path.of(args[0]),
                            Format.valueOf(args[1]),
                            Tokenizer.valueOf(args[2]),
                            0.1,
                            Path.of(args[3]),
                            20_000_000,
                            2)
                    .run((phase, done, total) -> {});
            System.out.println(result.tokens(Split.TRAIN) + result.tokens(Split.VALIDATION));
        }
    }

    private static long generate(Path file, Format format, int mebibytes) throws IOException {
        Random random = new Random(11);
        String[] words = random.ints(5000, 1, 9)
                .mapToObj(length -> random.ints(length, 'a', 'z' + 1)
                        .mapToObj(Character::toString)
                        .collect(Collectors.joining()))
                .toArray(String[]::new);
        StringBuilder some = new StringBuilder();
        while (some.length() < 1 << 20) {
            some.append(format == Format.JSONL ? "{\"text\":\"" : "");
            for (int word = 40 + random.nextInt(200); word > 0; word--) {
                some.append(words[random.nextInt(1 + random.nextInt(words.length))]);
                some.append(random.nextInt(30) == 0 ? ", é – " : " ");
            }
            some.append(format == Format.JSONL ? "\"}\n" : "\n\n");
        }
        byte[] bytes = some.toString().getBytes(UTF_8);
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int i = 0; i < mebibytes; i++) {
                out.write(bytes);
            }
        }
        return (long) mebibytes * bytes.length;
    }
}
