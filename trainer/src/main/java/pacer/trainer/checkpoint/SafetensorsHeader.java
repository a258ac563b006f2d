package pacer.trainer.checkpoint;

import static pacer.trainer.checkpoint.InvalidFileException.quote;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.util.ByteBufferBackedInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads and checks the header of one safetensors file: 8 bytes of length, JSON, then the tensors' bytes without hole or
 * overlap. Rules are those of the reference implementation (github.com/huggingface/safetensors, its README and
 * {@code tensor.rs}), and where it leaves a choice to its JSON library, the strict one: unknown and duplicate keys are
 * refused. Numbers in the file never size an allocation: only bytes that are really there do, and the counts are capped.
 */
final class SafetensorsHeader {
    /** The reference implementation's cap on the header, in bytes. */
    static final long MAX_BYTES = 100_000_000;
    /** Most tensors, and most metadata entries, of a file. */
    static final int MAX_ENTRIES = 250_000;
    /** Most dimensions of a tensor. */
    static final int MAX_DIMENSIONS = 32;

    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(8)
                    .maxNumberLength(32)
                    .maxNameLength(10_000)
                    .build())
            .build();

    /** One tensor's entry; offsets count from the end of the header. */
    record Entry(String name, ElementType type, List<Long> shape, long begin, long end) {}

    private final Path file;
    private final MemorySegment json;
    /** First byte after the header. */
    private final long dataStart;

    private final long dataBytes;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    /** Reads the header at the start of {@code bytes}, the whole content of {@code file}. */
    SafetensorsHeader(Path file, MemorySegment bytes) throws InvalidFileException {
        this.file = file;
        if (bytes.byteSize() < 8) {
            throw invalid("start", "the file has " + bytes.byteSize() + " bytes; a safetensors file has at least 8");
        }
        long length = bytes.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        String shown = "the header's length is " + Long.toUnsignedString(length);
        if (length < 0 || length > MAX_BYTES) {
            throw invalid(
                    "first 8 bytes", shown + "; at most " + MAX_BYTES + " are allowed; is this a safetensors file?");
        }
        if (length == 0) {
            throw invalid("first 8 bytes", shown + "; the shortest header is {}");
        }
        if (length > bytes.byteSize() - 8) {
            throw invalid(
                    "first 8 bytes",
                    shown + ", but only " + (bytes.byteSize() - 8) + " bytes follow: the file is cut short");
        }
        json = bytes.asSlice(8, length);
        dataStart = 8 + length;
        dataBytes = bytes.byteSize() - dataStart;
        checkText();
        parse();
        checkCoverage();
    }

    /** Tensors by name, in the order of the header. */
    Map<String, Entry> entries() {
        return entries;
    }

    Map<String, String> metadata() {
        return metadata;
    }

    /** Position in the file of byte 0 of the tensors' data. */
    long dataStart() {
        return dataStart;
    }

    private void checkText() throws InvalidFileException {
        if (json.get(ValueLayout.JAVA_BYTE, 0) != '{') {
            throw invalid("header, byte 0", "must be {");
        }
        ByteBuffer in = json.asByteBuffer();
        CharBuffer out = CharBuffer.allocate(8192);
        CharsetDecoder decoder = strictUtf8();
        CoderResult result;
        do {
            out.clear();
            result = decoder.decode(in, out, true);
        } while (result.isOverflow());
        if (result.isError()) {
            throw invalid("header, byte " + in.position(), "is not valid UTF-8");
        }
    }

    private static CharsetDecoder strictUtf8() {
        return StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
    }

    private void parse() throws InvalidFileException {
        // from characters, not bytes: given bytes, the parser would also guess at UTF-16 and UTF-32
        try (JsonParser p = JSON.createParser(
                new InputStreamReader(new ByteBufferBackedInputStream(json.asByteBuffer()), strictUtf8()))) {
            require(p, p.nextToken(), JsonToken.START_OBJECT, "header");
            boolean metadataSeen = false;
            while (p.nextToken() == JsonToken.FIELD_NAME) {
                String name = p.currentName();
                if (name.equals("__metadata__")) {
                    if (metadataSeen) {
                        throw invalid(place(p), "__metadata__ occurs twice");
                    }
                    metadataSeen = true;
                    readMetadata(p);
                } else {
                    readTensor(p, name);
                }
            }
            if (p.nextToken() != null) {
                throw invalid(place(p), "nothing but spaces may follow the header's object");
            }
        } catch (JsonProcessingException e) {
            // over one of the parser's limits there is no location
            String place = e.getLocation() == null
                    ? ""
                    : ", character " + e.getLocation().getCharOffset();
            throw invalid("header" + place, "not valid JSON: " + e.getOriginalMessage());
        } catch (InvalidFileException e) {
            throw e;
        } catch (IOException e) {
            throw invalid("header", "cannot be read: " + e.getMessage());
        }
    }

    private void readMetadata(JsonParser p) throws IOException {
        require(p, p.nextToken(), JsonToken.START_OBJECT, "__metadata__");
        while (p.nextToken() == JsonToken.FIELD_NAME) {
            String key = checkedName(p);
            require(p, p.nextToken(), JsonToken.VALUE_STRING, "__metadata__ " + quote(key));
            if (metadata.putIfAbsent(key, p.getText()) != null) {
                throw invalid(place(p), "the metadata key " + quote(key) + " occurs twice");
            }
            checkCount(p, metadata.size(), "metadata entries");
        }
    }

    private void readTensor(JsonParser p, String unchecked) throws IOException {
        String name = checkedName(p);
        String where = "tensor " + quote(unchecked);
        ElementType type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        require(p, p.nextToken(), JsonToken.START_OBJECT, where);
        while (p.nextToken() == JsonToken.FIELD_NAME) {
            String key = p.currentName();
            boolean twice =
                    switch (key) {
                        case "dtype" -> type != null;
                        case "shape" -> shape != null;
                        case "data_offsets" -> offsets != null;
                        default ->
                            throw invalid(
                                    where, "unknown key " + quote(key) + "; the keys are dtype, shape, data_offsets");
                    };
            if (twice) {
                throw invalid(where, "the key " + key + " occurs twice");
            }
            switch (key) {
                case "dtype" -> type = readType(p, where);
                case "shape" -> shape = readNumbers(p, where + ", shape", MAX_DIMENSIONS);
                default -> offsets = readNumbers(p, where + ", data_offsets", 2);
            }
        }
        if (type == null || shape == null || offsets == null) {
            String missing = type == null ? "dtype" : shape == null ? "shape" : "data_offsets";
            throw invalid(where, "the key " + missing + " is missing");
        }
        if (offsets.size() != 2) {
            throw invalid(where + ", data_offsets", offsets + " must be two numbers, begin and end");
        }
        Entry entry = new Entry(name, type, shape, offsets.get(0), offsets.get(1));
        checkExtent(entry, where);
        if (entries.putIfAbsent(name, entry) != null) {
            throw invalid(where, "occurs twice");
        }
        checkCount(p, entries.size(), "tensors");
    }

    private ElementType readType(JsonParser p, String where) throws IOException {
        require(p, p.nextToken(), JsonToken.VALUE_STRING, where + ", dtype");
        String text = p.getText();
        return ElementType.named(text)
                .orElseThrow(() -> invalid(
                        where + ", dtype", quote(text) + " must be one of " + Arrays.toString(ElementType.values())));
    }

    private List<Long> readNumbers(JsonParser p, String where, int most) throws IOException {
        require(p, p.nextToken(), JsonToken.START_ARRAY, where);
        List<Long> numbers = new ArrayList<>(4);
        for (JsonToken token = p.nextToken(); token != JsonToken.END_ARRAY; token = p.nextToken()) {
            if (token != JsonToken.VALUE_NUMBER_INT
                    || p.getText().startsWith("-")
                    || p.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
                String found = token == null ? "end of header" : p.getText();
                throw invalid(where, quote(found) + " must be a whole number from 0 to " + Long.MAX_VALUE);
            }
            if (numbers.size() == most) {
                throw invalid(where, "has more than " + most + " numbers");
            }
            numbers.add(p.getLongValue());
        }
        return List.copyOf(numbers);
    }

    private void checkExtent(Entry e, String where) throws InvalidFileException {
        String offsets = "[" + e.begin + ", " + e.end + "]";
        if (e.end < e.begin) {
            throw invalid(where + ", data_offsets", offsets + " must not end before they begin");
        }
        if (e.end > dataBytes) {
            throw invalid(
                    where + ", data_offsets",
                    offsets + " reach beyond the file, which has " + dataBytes + " bytes of data");
        }
        long bytes = e.type.bytes();
        try {
            for (long dimension : e.shape) {
                bytes = Math.multiplyExact(bytes, dimension);
            }
        } catch (ArithmeticException overflow) {
            throw invalid(where + ", shape", e.shape + " of " + e.type + " is more than 2^63 bytes");
        }
        if (bytes != e.end - e.begin) {
            throw invalid(
                    where + ", data_offsets",
                    offsets + " hold " + (e.end - e.begin) + " bytes; shape " + e.shape + " of " + e.type + " needs "
                            + bytes);
        }
    }

    /** Every byte of data belongs to exactly one tensor. */
    private void checkCoverage() throws InvalidFileException {
        List<Entry> byOffset = new ArrayList<>(entries.values());
        byOffset.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long covered = 0;
        String before = "the start";
        for (Entry e : byOffset) {
            if (e.begin != covered) {
                throw invalid(
                        "tensor " + quote(e.name) + ", data_offsets",
                        e.begin < covered
                                ? "begins at byte " + e.begin + ", inside " + before + ", which ends at " + covered
                                : "begins at byte " + e.begin + ", leaving a hole of " + (e.begin - covered)
                                        + " bytes after " + before);
            }
            covered = e.end;
            before = "tensor " + quote(e.name);
        }
        if (covered != dataBytes) {
            throw invalid("end", (dataBytes - covered) + " bytes after " + before + " belong to no tensor");
        }
    }

    private String checkedName(JsonParser p) throws IOException {
        String name = p.currentName();
        if (!InvalidFileException.isPaired(name)) {
            throw invalid(place(p), "the name " + quote(name) + " holds half a surrogate pair");
        }
        return name;
    }

    private void checkCount(JsonParser p, int count, String what) throws InvalidFileException {
        if (count > MAX_ENTRIES) {
            throw invalid(place(p), "more than " + MAX_ENTRIES + " " + what);
        }
    }

    private void require(JsonParser p, JsonToken found, JsonToken needed, String where) throws IOException {
        if (found != needed) {
            String kind =
                    switch (needed) {
                        case START_OBJECT -> "an object";
                        case START_ARRAY -> "an array";
                        default -> "a string";
                    };
            String text = found == null ? "end of header" : p.getText();
            throw invalid(where, quote(text) + " where " + kind + " must be");
        }
    }

    private static String place(JsonParser p) {
        return "header, character " + p.currentLocation().getCharOffset();
    }

    private InvalidFileException invalid(String place, String problem) {
        return new InvalidFileException(file, place, problem);
    }
}
