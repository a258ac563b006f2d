package pacer.trainer.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static pacer.trainer.checkpoint.RawSafetensors.entry;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {

    @TempDir
    Path folder;

    @Test
    void readsBackWhatItWroteAndHashedOnTheWay() throws IOException {
        Random random = new Random(1);
        List<TensorSource> sources = new ArrayList<>();
        // longer than one piece, odd, empty, scalar
        long[][] shapes = {{3, 700_001}, {7}, {0, 5}, {}};
        for (ElementType type : List.of(ElementType.F32, ElementType.BF16, ElementType.U8)) {
            for (int i = 0; i < shapes.length; i++) {
                byte[] bytes = new byte[Math.toIntExact(elements(shapes[i]) * type.bytes())];
                random.nextBytes(bytes);
                sources.add(TensorSource.of(type + "." + i, type, MemorySegment.ofArray(bytes), shapes[i]));
            }
        }
        Path file = folder.resolve("x.safetensors");

        FileFacts facts = SafetensorsWriter.write(file, Map.of("format", "pt", "note", "\"ü\n"), sources);

        assertThat(facts).isEqualTo(FileFacts.of(file));
        try (Safetensors opened = Safetensors.open(file)) {
            assertThat(opened.metadata()).isEqualTo(Map.of("format", "pt", "note", "\"ü\n"));
            assertThat(opened.tensors()).hasSize(sources.size());
            for (TensorSource source : sources) {
                StoredTensor stored = opened.tensor(source.name());
                assertThat(stored.shape()).isEqualTo(source.shape());
                assertThat(stored.type()).isEqualTo(source.type());
                assertThat(stored.bytes().mismatch(source.content().read(0, source.bytes(), null)))
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void laysOutAsTheReferenceImplementationDoes() throws IOException {
        byte[] eight = new byte[8];
        FileFacts facts = SafetensorsWriter.write(
                folder.resolve("x.safetensors"),
                Map.of("format", "pt"),
                List.of(
                        TensorSource.of("z", ElementType.U8, MemorySegment.ofArray(eight), 8),
                        TensorSource.of("b", ElementType.F32, MemorySegment.ofArray(eight), 2),
                        TensorSource.of("a", ElementType.F32, MemorySegment.ofArray(eight), 1, 2),
                        TensorSource.of("y", ElementType.I64, MemorySegment.ofArray(eight))));
        byte[] content = Files.readAllBytes(folder.resolve("x.safetensors"));
        int header = Math.toIntExact(
                ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong());

        assertThat(new String(content, 8, header, UTF_8).stripTrailing())
                .isEqualTo("{\"__metadata__\":{\"format\":\"pt\"}," + entry("y", "I64", "[]", 0, 8) + ","
                        + entry("a", "F32", "[1,2]", 8, 16) + "," + entry("b", "F32", "[2]", 16, 24) + ","
                        + entry("z", "U8", "[8]", 24, 32) + "}");
        assertThat((8 + header) % 64).isZero();
        assertThat(facts.bytes()).isEqualTo(content.length).isEqualTo(8 + header + 32);
    }

    @Test
    void convertsEveryNumberTypeToFloat() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        data.putDouble(-0.5).putLong(-3).putLong(-1); // F64, I64, U64 (2^64 - 1)
        data.putFloat(1e-40f).putInt(-7).putInt(-1); // F32 (subnormal), I32, U32 (2^32 - 1)
        data.putShort(Float.floatToFloat16(65504))
                .putShort((short) 0xC0A0)
                .putShort((short) -2)
                .putShort((short) -1);
        data.put((byte) -1).put((byte) -1).put((byte) 1); // F16, BF16 (-5), I16, U16; U8, I8, BOOL
        String[] types = {"F64", "I64", "U64", "F32", "I32", "U32", "F16", "BF16", "I16", "U16", "U8", "I8", "BOOL"};
        float[] values = {-0.5f, -3, 0x1p64f, 1e-40f, -7, 0x1p32f, 65504, -5, -2, 65535, 255, -1, 1};
        List<String> entries = new ArrayList<>();
        int at = 0;
        for (String type : types) {
            int bytes = ElementType.valueOf(type).bytes();
            entries.add(entry(type, type, "[1]", at, at + bytes));
            at += bytes;
        }
        byte[] content = RawSafetensors.file("{" + String.join(",", entries) + "}", at);
        System.arraycopy(data.array(), 0, content, content.length - at, at);
        Path file = Files.write(folder.resolve("types.safetensors"), content);

        try (Safetensors opened = Safetensors.open(file);
                Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < types.length; i++) {
                assertThat(opened.tensor(types[i]).floats()).as(types[i]).containsExactly(values[i]);
            }
            assertThat(opened.tensor("U8").ints()).containsExactly(255);
            assertThat(opened.tensor("I64").ints()).containsExactly(-3);
            assertThatThrownBy(() -> opened.tensor("U32").ints())
                    .hasMessageContaining("4294967295 does not fit 32 bits");
            assertThatThrownBy(() -> opened.tensor("BF16").ints())
                    .hasMessageContaining("BF16 where integers are needed");
            MemorySegment tooShort = arena.allocate(3);
            assertThatThrownBy(() -> opened.tensor("F32").toFloats(tooShort)).hasMessageContaining("1 elements");
        }
    }

    @Test
    void leavesNaNPayloadsAsTheyAre() throws IOException {
        int payload = 0x7FA12345;
        Path file = folder.resolve("nan.safetensors");
        SafetensorsWriter.write(
                file,
                Map.of(),
                List.of(TensorSource.of("nan", ElementType.F32, MemorySegment.ofArray(new int[] {payload}), 1)));

        try (Safetensors opened = Safetensors.open(file)) {
            assertThat(Float.floatToRawIntBits(opened.tensor("nan").floats()[0]))
                    .isEqualTo(payload);
        }
    }

    @Test
    void openingOneThatIsOpenElsewhereStillReadsTheOldContentAfterTheFileWasReplaced() throws IOException {
        Path file = folder.resolve("x.safetensors");
        write("x.safetensors", "old");
        try (Safetensors opened = Safetensors.open(file)) {
            Files.delete(file);
            write("x.safetensors", "new");
            assertThat(opened.tensors()).containsOnlyKeys("old");
            assertThat(opened.tensor("old").floats()).containsExactly(3);
        }
    }

    @Test
    void readsAFolderOfSeveralFilesThroughItsIndex() throws IOException {
        write("model-00001-of-00002.safetensors", "a", "bee");
        write("model-00002-of-00002.safetensors", "see");
        index("{\"a\":\"model-00001-of-00002.safetensors\",\"bee\":\"model-00001-of-00002.safetensors\","
                + "\"see\":\"model-00002-of-00002.safetensors\"}");

        try (Safetensors opened = Safetensors.openFolder(folder)) {
            assertThat(opened.tensors()).containsOnlyKeys("a", "bee", "see");
            assertThat(opened.tensor("see").file().getFileName()).hasToString("model-00002-of-00002.safetensors");
        }
    }

    @Test
    void refusesAnIndexThatLeadsAstray() throws IOException {
        assertThatThrownBy(() -> Safetensors.openFolder(folder))
                .hasMessageContaining("holds neither model.safetensors nor");
        write("one.safetensors", "a", "b");
        write("two.safetensors", "a");
        refused("{\"a\":\"../one.safetensors\"}", "must be the plain name of a .safetensors file beside the index");
        refused("{\"a\":\"/etc/one.safetensors\"}", "must be the plain name");
        refused("{\"a\":7}", "must be the plain name");
        refused("{\"a\":\"one.safetensors\"}", "tensor \"b\": is not listed in model.safetensors.index.json");
        refused("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}", "tensor \"a\": is also in one.safetensors");
        refused(
                "{\"a\":\"one.safetensors\",\"b\":\"one.safetensors\",\"c\":\"one.safetensors\"}",
                "\"c\": is not in the file named");
        refused("{\"a\":\"none.safetensors\"}", "none.safetensors: file: does not exist");
        refused("{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}", "not valid JSON: Duplicate field 'a'");
        refused("[]", "must be an object of tensor names");
    }

    @Test
    void refusesToWriteTwoTensorsOfOneName() {
        TensorSource a = TensorSource.of("a", ElementType.U8, MemorySegment.ofArray(new byte[1]), 1);
        assertThatThrownBy(() -> SafetensorsWriter.write(folder.resolve("x"), Map.of(), List.of(a, a)))
                .hasMessage("two tensors are called a");
        assertThatThrownBy(() -> TensorSource.of("a", ElementType.F32, MemorySegment.ofArray(new byte[1]), 1))
                .hasMessageContaining("needs 4 bytes; got 1");
    }

    private void refused(String weightMap, String message) throws IOException {
        index(weightMap);
        assertThatThrownBy(() -> Safetensors.openFolder(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(message);
    }

    private void index(String weightMap) throws IOException {
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"metadata\":{\"total_size\":12},\"weight_map\":" + weightMap + "}");
    }

    /** A file of scalars, each the length of its name. */
    private void write(String file, String... names) throws IOException {
        List<TensorSource> sources = new ArrayList<>();
        for (String name : names) {
            sources.add(TensorSource.of(name, ElementType.F32, MemorySegment.ofArray(new float[] {name.length()})));
        }
        SafetensorsWriter.write(folder.resolve(file), Map.of(), sources);
    }

    private static long elements(long[] shape) {
        long elements = 1;
        for (long d : shape) {
            elements *= d;
        }
        return elements;
    }
}
