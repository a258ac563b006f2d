package pacer.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import pacer.trainer.durable.DurableFiles;

/**
 * A model as a folder for others: configuration, weights, and what lies beside them (tokenizer, card). Whole or not there.
 *
 * @param weights the tensors, in the order in which they lie in the files
 * @param files the other files by name
 */
record ExportedModel(List<TensorSource> weights, Map<String, byte[]> files) {

    /** @param config content of {@code config.json} */
    static ExportedModel of(byte[] config, List<TensorSource> weights, Map<String, byte[]> beside) {
        Map<String, byte[]> files = new LinkedHashMap<>(beside);
        files.put(Gpt2Config.FILE, config);
        return new ExportedModel(weights, files);
    }

    /**
     * Writes the new {@code folder}.
     *
     * @param fileBytes most bytes of a file of weights; 0: all in one
     * @throws IOException when {@code folder} exists already, among others
     */
    void write(Path folder, long fileBytes) throws IOException {
        if (Files.exists(folder)) {
            throw new IOException(folder + " exists already; delete it or export to another folder");
        }
        Path absolute = folder.toAbsolutePath();
        Path beside = absolute.resolveSibling("." + absolute.getFileName() + ".partial");
        DurableFiles.deleteTree(beside);
        DurableFiles.createFolder(beside);
        WeightFiles.write(beside, weights, fileBytes);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            DurableFiles.write(beside.resolve(file.getKey()), file.getValue());
        }
        DurableFiles.move(beside, folder);
    }

    /**
     * Tables of {@code vocabulary} rows without those from {@code rows} on, which no token has.
     *
     * @param tables what they are called
     */
    static List<TensorSource> withoutPadding(Collection<TensorSource> weights, Collection<String> tables, int rows) {
        return weights.stream()
                .map(tensor -> tables.contains(tensor.name())
                        ? new TensorSource(
                                tensor.name(),
                                tensor.type(),
                                Stream.concat(
                                                Stream.of((long) rows),
                                                tensor.shape().stream().skip(1))
                                        .toList(),
                                tensor.content())
                        : tensor)
                .toList();
    }
}
