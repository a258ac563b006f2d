package pacer.trainer.spec;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * What of a machine a specification is resolved for.
 *
 * @param cores that this process may use
 * @param bf16 whether it has instructions for products of bf16 numbers, and pacer a library that uses them; without, they are taken in
 *     fp32 and only cost conversions
 */
public record Processor(int cores, boolean bf16) {
    private static final Path FACTS = Path.of("/proc/cpuinfo");

    /** This machine's. */
    public static Processor here() {
        return new Processor(Runtime.getRuntime().availableProcessors(), hasBf16(FACTS));
    }

    /** Whether one of the processors in {@code facts}, a file in the form of Linux's {@code /proc/cpuinfo}, is x86 with bf16. */
    static boolean hasBf16(Path facts) {
        try (Stream<String> lines = Files.lines(facts, StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.startsWith("flags"))
                    .limit(1)
                    .flatMap(line -> Arrays.stream(line.split("\\s+")))
                    .anyMatch(flag -> flag.equals("avx512_bf16") || flag.equals("amx_bf16"));
        } catch (IOException e) {
            return false; // no Linux: OpenBLAS and the Vector API take bf16 in fp32
        }
    }
}
