package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * Whatever the bytes, a header is either refused with an {@link InvalidFileException} or describes tensors that cover the data
 * exactly. The suite runs mutations of valid files; with Jazzer, for 30 s or as long as told:
 *
 * <pre>JAZZER_FUZZ=1 JAZZER_MAX_DURATION=10m JAZZER_INSTRUMENT='pacer.**,com.fasterxml.**' \
 *     mvn -pl trainer test -Dtest=SafetensorsFuzzTest#anyBytes</pre>
 */
class SafetensorsFuzzTest {
    private static final Path FILE = Path.of("fuzz.safetensors");

    private static final List<byte[]> SEEDS = List.of(
            RawSafetensors.file("{}", 0),
            RawSafetensors.file(
                    "{\"__metadata__\":{\"format\":\"pt\"},"
                            + RawSafetensors.entry("a.weight", "F32", "[2,3]", 0, 24) + ","
                            + RawSafetensors.entry("b", "BF16", "[4]", 24, 32) + ","
                            + RawSafetensors.entry("c", "I64", "[]", 32, 40)
                            + "}   ",
                    40));

    // only when asked for: the agent that Jazzer loads slows down every test after it in the same process
    @EnabledIfEnvironmentVariable(named = "JAZZER_FUZZ", matches = ".+")
    @FuzzTest(maxDuration = "30s")
    void anyBytes(byte[] content) {
        check(content);
        check(RawSafetensors.file(content, content.length % 32)); // the header's length right at once
    }

    @Test
    void survivesMutationsOfValidFiles() {
        Random random = new Random(20241122);
        int read = 0;
        for (int i = 0; i < 50_000; i++) {
            byte[] content = SEEDS.get(random.nextInt(SEEDS.size())).clone();
            for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
                content = mutate(content, random);
            }
            read += check(content) ? 1 : 0;
        }
        assertThat(read).as("mutations that stay valid").isBetween(500, 25_000);
    }

    private static byte[] mutate(byte[] content, Random random) {
        int at = random.nextInt(content.length);
        byte[] alphabet = "{}[]\",:0123456789-e.\\ut \0\u00ff".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        switch (random.nextInt(4)) {
            case 0 -> content[at] = (byte) random.nextInt(256);
            case 1 -> content[at] = alphabet[random.nextInt(alphabet.length)];
            case 2 -> content[at] ^= (byte) (1 << random.nextInt(8));
            default -> content = java.util.Arrays.copyOf(content, at + 1);
        }
        return content;
    }

    /** Whether {@code content} was read; fails on anything but that and a named refusal. */
    private static boolean check(byte[] content) {
        SafetensorsHeader header;
        try {
            header = new SafetensorsHeader(FILE, MemorySegment.ofArray(content));
        } catch (InvalidFileException e) {
            assertThat(e).hasMessageStartingWith(FILE + ": ");
            return false;
        }
        long covered = 0;
        List<SafetensorsHeader.Entry> byOffset = header.entries().values().stream()
                .sorted(Comparator.comparingLong(SafetensorsHeader.Entry::begin)
                        .thenComparingLong(SafetensorsHeader.Entry::end))
                .toList();
        for (SafetensorsHeader.Entry e : byOffset) {
            assertThat(e.begin()).isEqualTo(covered);
            long bytes = e.shape().stream().reduce((long) e.type().bytes(), Math::multiplyExact);
            assertThat(e.end()).isEqualTo(covered + bytes);
            covered = e.end();
        }
        assertThat(header.dataStart() + covered).isEqualTo(content.length);
        return true;
    }
}
