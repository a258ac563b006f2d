package pacer.trainer.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import pacer.trainer.durable.DurableFiles;

/** Weights in Hugging Face's layout: {@code model.safetensors}, or several files with {@code model.safetensors.index.json}. */
final class WeightFiles {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    private WeightFiles() {}

    /**
     * Writes {@code tensors} to {@code folder}.
     *
     * @param most bytes of a file's tensors, one file at least having one tensor; 0: all in one file
     */
    static void write(Path folder, Collection<TensorSource> tensors, long most) throws IOException {
        List<List<TensorSource>> files = divided(tensors, most);
        if (files.size() == 1) {
            SafetensorsWriter.write(folder.resolve(SINGLE), Map.of("format", "pt"), tensors);
            return;
        }
        ObjectNode index = Json.MAPPER.createObjectNode();
        index.putObject("metadata")
                .put(
                        "total_size",
                        tensors.stream().mapToLong(TensorSource::bytes).sum());
        ObjectNode fileOf = index.putObject("weight_map");
        for (int i = 0; i < files.size(); i++) {
            String name = String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, files.size());
            SafetensorsWriter.write(folder.resolve(name), Map.of("format", "pt"), files.get(i));
            files.get(i).forEach(tensor -> fileOf.put(tensor.name(), name));
        }
        DurableFiles.write(
                folder.resolve(INDEX),
                Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(index));
    }

    private static List<List<TensorSource>> divided(Collection<TensorSource> tensors, long most) {
        List<List<TensorSource>> files = new ArrayList<>(List.of(new ArrayList<>()));
        long bytes = 0;
        for (TensorSource tensor : tensors) {
            if (most > 0 && bytes + tensor.bytes() > most && !files.getLast().isEmpty()) {
                files.add(new ArrayList<>());
                bytes = 0;
            }
            files.getLast().add(tensor);
            bytes += tensor.bytes();
        }
        return files;
    }
}
