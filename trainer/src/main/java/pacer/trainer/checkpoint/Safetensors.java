package pacer.trainer.checkpoint;

import static pacer.trainer.checkpoint.InvalidFileException.quote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Tensors of one safetensors file, or of a folder whose weights lie in one or several of them, mapped into memory. Opening
 * reads and checks headers only; a tensor's bytes are read when touched. May be used from any thread until closed.
 *
 * <p>Everything is checked before it is believed, and refused with an {@link InvalidFileException} that names file, place
 * and rule. Tensors' values are data and not checked: NaN is allowed.
 */
public final class Safetensors implements AutoCloseable {
    private static final String SINGLE = WeightFiles.SINGLE;
    private static final String INDEX = WeightFiles.INDEX;

    private final Path source;
    private final Arena arena = Arena.ofShared();
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private Safetensors(Path source) {
        this.source = source;
    }

    /** Opens one file. */
    public static Safetensors open(Path file) throws IOException {
        Safetensors opened = new Safetensors(file);
        try {
            opened.add(file);
            return opened;
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    /**
     * Opens the weights of a folder in Hugging Face's layout: {@code model.safetensors}, or the files that
     * {@code model.safetensors.index.json} lists.
     */
    public static Safetensors openFolder(Path folder) throws IOException {
        if (Files.exists(folder.resolve(SINGLE))) {
            return open(folder.resolve(SINGLE));
        }
        Path index = folder.resolve(INDEX);
        if (!Files.exists(index)) {
            String hint = Files.exists(folder.resolve("pytorch_model.bin"))
                    ? "; it has pytorch_model.bin: convert that to safetensors first"
                    : "";
            throw new InvalidFileException(folder, "folder", "holds neither " + SINGLE + " nor " + INDEX + hint);
        }
        Safetensors opened = new Safetensors(index);
        try {
            opened.addIndexed(folder, index);
            return opened;
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    /** Names of the files that an index of Hugging Face's layout lists, each a plain name. */
    public static Set<String> indexed(Path index) throws IOException {
        return new TreeSet<>(readIndex(index).values());
    }

    /** All tensors by name, in the order of the headers. */
    public Map<String, StoredTensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /** The tensor called {@code name}; the error names the nearest that there are. */
    public StoredTensor tensor(String name) throws InvalidFileException {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new InvalidFileException(
                    source, "tensor " + quote(name), "is not there; there are " + someOf(tensors.keySet()));
        }
        return tensor;
    }

    /** The free-form notes of the files. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** Requires exactly the tensors of {@code shapes}, each with its shape; one error lists all that differ. */
    public void expect(Map<String, int[]> shapes) throws InvalidFileException {
        expect(shapes, name -> false);
    }

    /** As {@link #expect(Map)}, but tensors that {@code ignored} names may be there too. */
    void expect(Map<String, int[]> shapes, Predicate<String> ignored) throws InvalidFileException {
        List<String> faults = new ArrayList<>();
        new TreeMap<>(shapes).forEach((name, shape) -> {
            StoredTensor tensor = tensors.get(name);
            List<Long> wanted = Arrays.stream(shape).mapToObj(d -> (long) d).toList();
            if (tensor == null) {
                faults.add(quote(name) + " " + wanted + " is missing");
            } else if (!tensor.shape().equals(wanted)) {
                faults.add(quote(name) + " has shape " + tensor.shape() + " instead of " + wanted);
            }
        });
        for (String name : new TreeSet<>(tensors.keySet())) {
            if (!shapes.containsKey(name) && !ignored.test(name)) {
                faults.add(quote(name) + " " + tensors.get(name).shape() + " is not part of the model");
            }
        }
        if (!faults.isEmpty()) {
            throw new InvalidFileException(source, "tensors", someOf(faults));
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    private void add(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new InvalidFileException(
                    file, "file", Files.exists(file) ? "is not a regular file" : "does not exist");
        }
        MemorySegment bytes;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
        SafetensorsHeader header = new SafetensorsHeader(file, bytes);
        MemorySegment data = bytes.asSlice(header.dataStart());
        for (SafetensorsHeader.Entry e : header.entries().values()) {
            StoredTensor tensor =
                    new StoredTensor(e.name(), e.type(), e.shape(), data.asSlice(e.begin(), e.end() - e.begin()), file);
            StoredTensor other = tensors.putIfAbsent(e.name(), tensor);
            if (other != null) {
                throw new InvalidFileException(
                        file,
                        "tensor " + quote(e.name()),
                        "is also in " + other.file().getFileName());
            }
        }
        metadata.putAll(header.metadata());
    }

    private void addIndexed(Path folder, Path index) throws IOException {
        Map<String, String> fileOf = readIndex(index);
        for (String name : new TreeSet<>(fileOf.values())) {
            add(folder.resolve(name));
        }
        for (Map.Entry<String, String> e : fileOf.entrySet()) {
            StoredTensor tensor = tensors.get(e.getKey());
            if (tensor == null || !tensor.file().equals(folder.resolve(e.getValue()))) {
                throw new InvalidFileException(
                        index, "weight_map, " + quote(e.getKey()), "is not in the file named, " + e.getValue());
            }
        }
        for (StoredTensor tensor : tensors.values()) {
            if (!fileOf.containsKey(tensor.name())) {
                throw new InvalidFileException(
                        tensor.file(), "tensor " + quote(tensor.name()), "is not listed in " + index.getFileName());
            }
        }
    }

    private static Map<String, String> readIndex(Path index) throws IOException {
        if (Files.size(index) > SafetensorsHeader.MAX_BYTES) {
            throw new InvalidFileException(
                    index,
                    "file",
                    "has " + Files.size(index) + " bytes; at most " + SafetensorsHeader.MAX_BYTES + " are allowed");
        }
        JsonNode map;
        try {
            map = Json.MAPPER.readTree(Files.readAllBytes(index)).path("weight_map");
        } catch (JsonProcessingException e) {
            throw new InvalidFileException(index, Json.place(e), "not valid JSON: " + e.getOriginalMessage());
        }
        if (!map.isObject() || map.isEmpty()) {
            throw new InvalidFileException(index, "weight_map", "must be an object of tensor names and file names");
        }
        Map<String, String> fileOf = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> e : map.properties()) {
            String name = e.getValue().asText();
            if (!e.getValue().isTextual() || !Json.isPlainFileName(name) || !name.endsWith(".safetensors")) {
                throw new InvalidFileException(
                        index,
                        "weight_map, " + quote(e.getKey()),
                        quote(name) + " must be the plain name of a .safetensors file beside the index");
            }
            fileOf.put(e.getKey(), name);
        }
        return fileOf;
    }

    private static String someOf(Collection<String> all) {
        String some = String.join("; ", all.stream().limit(8).toList());
        return all.size() > 8 ? some + "; and " + (all.size() - 8) + " more" : some;
    }
}
