package pacer.trainer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.ElementType;
import pacer.trainer.checkpoint.FileFacts;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;

/**
 * What the optimizer keeps, in the files of a checkpoint, one a rank of the training that wrote it. A tensor of which a rank has a part is called
 * {@code exp_avg.transformer.wte.weight[128:256]}, by its elements; so any other number of ranks finds its own parts among them.
 */
final class OptimizerFiles implements AutoCloseable {
    private static final Pattern PART = Pattern.compile("(.+)\\[(\\d{1,18}):(\\d{1,18})\\]");

    /** Elements from {@code from} on of a tensor. */
    private record Part(long from, StoredTensor tensor) {
        long to() {
            return from + tensor.elements();
        }
    }

    private final Path folder;
    private final List<Safetensors> files = new ArrayList<>();
    private final Map<String, List<Part>> parts = new HashMap<>();

    private OptimizerFiles(Path folder) {
        this.folder = folder;
    }

    /** The name in the file of elements [from, to) of {@code name}, which has {@code of}. */
    static String name(String name, long from, long to, long of) {
        return from == 0 && to == of ? name : name + "[" + from + ":" + to + "]";
    }

    static OptimizerFiles open(Checkpoint checkpoint) throws IOException {
        OptimizerFiles opened = new OptimizerFiles(checkpoint.folder());
        try {
            for (FileFacts file : checkpoint.manifest().files()) {
                if (Checkpoint.isOptimizerFile(file.name())) {
                    opened.add(Safetensors.open(checkpoint.folder().resolve(file.name())));
                }
            }
            opened.requireOnce();
            return opened;
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private void add(Safetensors file) throws InvalidFileException {
        files.add(file);
        for (StoredTensor tensor : file.tensors().values()) {
            Matcher part = PART.matcher(tensor.name());
            String name = part.matches() ? part.group(1) : tensor.name();
            long from = part.matches() ? Long.parseLong(part.group(2)) : 0;
            if (tensor.type() != ElementType.F32
                    || (part.matches() && Long.parseLong(part.group(3)) - from != tensor.elements())) {
                throw new InvalidFileException(
                        tensor.file(), "tensor " + tensor.name(), "is " + tensor.type() + " " + tensor.shape());
            }
            parts.computeIfAbsent(name, none -> new ArrayList<>()).add(new Part(from, tensor));
        }
    }

    /** Brings parts in order; no element may be in two of them. */
    private void requireOnce() throws InvalidFileException {
        for (List<Part> ofOne : parts.values()) {
            ofOne.sort(Comparator.comparingLong(Part::from));
            for (int i = 1; i < ofOne.size(); i++) {
                if (ofOne.get(i).from < ofOne.get(i - 1).to()) {
                    StoredTensor second = ofOne.get(i).tensor;
                    throw new InvalidFileException(
                            second.file(),
                            "tensor " + second.name(),
                            "overlaps with " + ofOne.get(i - 1).tensor.name() + " of "
                                    + ofOne.get(i - 1).tensor.file());
                }
            }
        }
    }

    /**
     * Reads elements of {@code name} from {@code from} on, as many as {@code to} holds.
     *
     * @param of elements that it has to have in all
     */
    void read(String name, long of, long from, MemorySegment to) throws InvalidFileException {
        long end = from + to.byteSize() / 4;
        long at = from;
        for (Part part : parts.getOrDefault(name, List.of())) {
            if (part.to() > of) {
                throw new InvalidFileException(
                        part.tensor.file(),
                        "tensor " + part.tensor.name(),
                        "has shape " + part.tensor.shape() + "; the model's has " + of + " elements");
            }
            long stop = Math.min(end, part.to());
            if (part.from <= at && at < stop) {
                MemorySegment.copy(part.tensor.bytes(), 4 * (at - part.from), to, 4 * (at - from), 4 * (stop - at));
                at = stop;
            }
        }
        if (at != end) {
            throw new InvalidFileException(
                    folder, "tensor " + name, "elements " + at + " to " + end + " are in no optimizer file");
        }
    }

    @Override
    public void close() {
        files.forEach(Safetensors::close);
    }
}
