package pacer.trainer.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;
import static pacer.trainer.checkpoint.RawSafetensors.entry;
import static pacer.trainer.checkpoint.RawSafetensors.file;
import static pacer.trainer.checkpoint.RawSafetensors.withLength;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kind of broken file gets one line that names the file, the place and the rule. */
class SafetensorsRefusalTest {

    @TempDir
    Path folder;

    static Stream<Arguments> brokenFiles() {
        String a = entry("a", "F32", "[2]", 0, 8);
        byte[] badUtf8 = ("{" + a + "}").getBytes(UTF_8);
        badUtf8[2] = (byte) 0xC3;
        return Stream.of(
                arguments("empty file", new byte[0], "has 0 bytes; a safetensors file has at least 8"),
                arguments("seven bytes", new byte[7], "has 7 bytes; a safetensors file has at least 8"),
                arguments("length 0", withLength(0, new byte[0], 0), "length is 0; the shortest header is {}"),
                arguments(
                        "length over the cap",
                        withLength(100_000_001, new byte[64], 0),
                        "at most 100000000 are allowed"),
                arguments("length over the file", withLength(65, new byte[64], 0), "only 64 bytes follow"),
                arguments("length 2^63", withLength(Long.MIN_VALUE, new byte[64], 0), "length is 9223372036854775808"),
                arguments("length 2^64-1", withLength(-1, new byte[64], 0), "length is 18446744073709551615"),
                arguments("bad UTF-8", file(badUtf8, 8), "header, byte 2: is not valid UTF-8"),
                arguments(
                        "UTF-16", file("{}".getBytes(java.nio.charset.StandardCharsets.UTF_16LE), 0), "not valid JSON"),
                arguments("byte order mark", file("\uFEFF{}", 0), "header, byte 0: must be {"),
                arguments("leading space", file(" {}", 0), "header, byte 0: must be {"),
                arguments(
                        "half a surrogate",
                        file("{" + entry("\\ud800", "F32", "[2]", 0, 8) + "}", 8),
                        "half a surrogate pair"),
                arguments("not JSON", file("{\"a\": }", 0), "header, character 6: not valid JSON"),
                arguments("cut JSON", file("{" + a, 8), "not valid JSON"),
                arguments("text after the object", file("{} x", 0), "not valid JSON"),
                arguments("second object", file("{}{}", 0), "nothing but spaces may follow"),
                arguments("duplicate tensor", file("{" + a + "," + a + "}", 8), "tensor \"a\": occurs twice"),
                arguments(
                        "duplicate key",
                        file("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8),
                        "tensor \"a\": the key dtype occurs twice"),
                arguments(
                        "duplicate metadata",
                        file("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
                        "__metadata__ occurs twice"),
                arguments(
                        "duplicate metadata key",
                        file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0),
                        "\"k\" occurs twice"),
                arguments("metadata number", file("{\"__metadata__\":{\"k\":1}}", 0), "\"1\" where a string must be"),
                arguments("metadata array", file("{\"__metadata__\":[]}", 0), "where an object must be"),
                arguments(
                        "deep nesting",
                        file("{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}", 0),
                        "tensor \"a\": \"[\" where an object must be"),
                arguments(
                        "deep nesting in the shape",
                        file("{" + entry("a", "F32", "[".repeat(1000) + "]".repeat(1000), 0, 8) + "}", 8),
                        "tensor \"a\", shape: \"[\" must be a whole number"),
                arguments(
                        "overlap",
                        file("{" + a + "," + entry("b", "F32", "[2]", 4, 12) + "}", 12),
                        "tensor \"b\", data_offsets: begins at byte 4, inside tensor \"a\", which ends at 8"),
                arguments(
                        "same bytes twice",
                        file("{" + a + "," + entry("b", "F32", "[2]", 0, 8) + "}", 8),
                        "begins at byte 0, inside"),
                arguments(
                        "hole",
                        file("{" + a + "," + entry("b", "F32", "[2]", 12, 20) + "}", 20),
                        "leaving a hole of 4 bytes after tensor \"a\""),
                arguments(
                        "hole at the start",
                        file("{" + entry("a", "F32", "[2]", 4, 12) + "}", 12),
                        "hole of 4 bytes after the start"),
                arguments(
                        "reversed", file("{" + entry("a", "F32", "[2]", 8, 0) + "}", 8), "[8, 0] must not end before"),
                arguments(
                        "trailing bytes",
                        file("{" + a + "}", 9),
                        "end: 1 bytes after tensor \"a\" belong to no tensor"),
                arguments("data without tensors", file("{}", 5), "5 bytes after the start belong to no tensor"),
                arguments("data cut short", file("{" + a + "}", 7), "reach beyond the file, which has 7 bytes of data"),
                arguments(
                        "overflowing shape",
                        file("{" + entry("a", "F32", "[4294967296,4294967296]", 0, 8) + "}", 8),
                        "shape: [4294967296, 4294967296] of F32 is more than 2^63 bytes"),
                arguments(
                        "overflow by the element's size",
                        file("{" + entry("a", "F64", "[2305843009213693952]", 0, 0) + "}", 0),
                        "is more than 2^63 bytes"),
                arguments(
                        "wrong extent",
                        file("{" + entry("a", "F32", "[3]", 0, 8) + "}", 8),
                        "hold 8 bytes; shape [3] of F32 needs 12"),
                arguments(
                        "negative dimension",
                        file("{" + entry("a", "F32", "[-2]", 0, 8) + "}", 8),
                        "\"-2\" must be a whole number"),
                arguments(
                        "minus zero",
                        file("{" + entry("a", "F32", "[-0]", 0, 0) + "}", 0),
                        "\"-0\" must be a whole number"),
                arguments(
                        "float dimension",
                        file("{" + entry("a", "F32", "[2.0]", 0, 8) + "}", 8),
                        "\"2.0\" must be a whole number"),
                arguments(
                        "exponent",
                        file("{" + entry("a", "F32", "[2e0]", 0, 8) + "}", 8),
                        "\"2e0\" must be a whole number"),
                arguments(
                        "string dimension",
                        file("{" + entry("a", "F32", "[\"2\"]", 0, 8) + "}", 8),
                        "\"2\" must be a whole number"),
                arguments("NaN dimension", file("{" + entry("a", "F32", "[NaN]", 0, 8) + "}", 8), "not valid JSON"),
                arguments(
                        "dimension over 2^63",
                        file("{" + entry("a", "F32", "[9223372036854775808]", 0, 8) + "}", 8),
                        "\"9223372036854775808\" must be a whole number"),
                arguments(
                        "dimension of 40 digits",
                        file("{" + entry("a", "F32", "[" + "6".repeat(40) + "]", 0, 8) + "}", 8),
                        "Number value length (40) exceeds the maximum"),
                arguments(
                        "number of 40 digits for a tensor",
                        file("{\"a\":" + "6".repeat(40) + "}", 0),
                        "Number value length (40) exceeds the maximum"),
                arguments(
                        "very long name",
                        file("{\"" + "n".repeat(10_001) + "\":{}}", 0),
                        "header: not valid JSON: Name length"),
                arguments(
                        "33 dimensions",
                        file("{" + entry("a", "U8", "[" + "1,".repeat(32) + "1]", 0, 1) + "}", 1),
                        "has more than 32 numbers"),
                arguments(
                        "unknown dtype",
                        file("{" + entry("a", "F31", "[2]", 0, 8) + "}", 8),
                        "dtype: \"F31\" must be one of [BOOL, U8"),
                arguments(
                        "dtype in lower case",
                        file("{" + entry("a", "f32", "[2]", 0, 8) + "}", 8),
                        "\"f32\" must be one of"),
                arguments(
                        "no shape",
                        file("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8),
                        "tensor \"a\": the key shape is missing"),
                arguments(
                        "three offsets",
                        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8),
                        "has more than 2 numbers"),
                arguments(
                        "one offset",
                        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8),
                        "must be two numbers, begin and end"),
                arguments(
                        "unknown key",
                        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"stride\":[1]}}", 8),
                        "unknown key \"stride\""),
                arguments("tensor null", file("{\"a\":null}", 0), "tensor \"a\": \"null\" where an object must be"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenFiles")
    void refusesNamingFilePlaceAndRule(String what, byte[] content, String message) throws IOException {
        Path file = Files.write(folder.resolve("x.safetensors"), content);

        assertThatThrownBy(() -> Safetensors.open(file).close())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith(file + ": ")
                .hasMessageContaining(message)
                .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1))
                .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(600));
    }

    @Test
    void refusesWhatIsNoFile() {
        assertThatThrownBy(() -> Safetensors.open(folder)).hasMessageContaining("is not a regular file");
        assertThatThrownBy(() -> Safetensors.open(folder.resolve("none"))).hasMessageContaining("does not exist");
    }

    @Test
    void readsAHundredThousandTensorsQuickly() throws IOException {
        String header = IntStream.range(0, 100_000)
                .mapToObj(i -> entry("layer." + i, "F32", "[2]", 8L * i, 8L * i + 8))
                .collect(Collectors.joining(",", "{", "}"));
        Path file = Files.write(folder.resolve("many.safetensors"), file(header, 800_000));

        // far above the 0.2 s that it takes, and far below what anything quadratic would
        Assertions.assertTimeout(Duration.ofSeconds(20), () -> {
            try (Safetensors opened = Safetensors.open(file)) {
                assertThat(opened.tensors()).hasSize(100_000);
                assertThat(opened.tensor("layer.99999").shape()).containsExactly(2L);
            }
        });
    }

    @Test
    void refusesMoreTensorsThanAFileMayHave() throws IOException {
        String header = IntStream.range(0, 250_001)
                .mapToObj(i -> entry("t" + i, "U8", "[0]", 0, 0))
                .collect(Collectors.joining(",", "{", "}"));
        Path file = Files.write(folder.resolve("toomany.safetensors"), file(header, 0));

        assertThatThrownBy(() -> Safetensors.open(file)).hasMessageContaining("more than 250000 tensors");
    }

    @Test
    void listsMissingExtraAndWrongShapeTensorsAtOnce() throws IOException {
        Path file = Files.write(
                folder.resolve("m.safetensors"),
                file("{" + entry("wte", "F32", "[2,1]", 0, 8) + "," + entry("extra", "F32", "[]", 8, 12) + "}", 12));

        try (Safetensors opened = Safetensors.open(file)) {
            opened.expect(Map.of("wte", new int[] {2, 1}, "extra", new int[] {}));
            assertThatThrownBy(() -> opened.expect(Map.of("wte", new int[] {1, 2}, "wpe", new int[] {4})))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessage(file + ": tensors: \"wpe\" [4] is missing; \"wte\" has shape [2, 1] instead of [1, 2];"
                            + " \"extra\" [] is not part of the model");
            assertThatThrownBy(() -> opened.tensor("wpe"))
                    .hasMessageContaining("\"wpe\": is not there; there are wte; extra");
        }
    }

    @Test
    void keepsNamesThatLookLikePathsAsNames() throws IOException {
        Path file = Files.write(
                folder.resolve("p.safetensors"), file("{" + entry("../../etc/passwd", "F32", "[2]", 0, 8) + "}", 8));

        try (Safetensors opened = Safetensors.open(file)) {
            assertThat(opened.tensors()).containsOnlyKeys("../../etc/passwd");
            assertThat(opened.tensor("../../etc/passwd").file()).isEqualTo(file);
        }
    }
}
