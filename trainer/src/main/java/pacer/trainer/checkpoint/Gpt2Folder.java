package pacer.trainer.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import pacer.trainer.spec.ModelSpec;

/**
 * A GPT-2 as Hugging Face's {@code transformers} keeps it: {@code config.json} and weights in one or several safetensors files.
 *
 * <p>Names here are nanoGPT's, which are those of {@code GPT2LMHeadModel}; a folder may leave out the prefix {@code transformer.}
 * and may hold the mask buffers {@code attn.bias} and {@code attn.masked_bias}, which are ignored. Four weights of a block are
 * {@code Conv1D} there, stored (inputs, outputs); here all are (outputs, inputs).
 */
public final class Gpt2Folder implements AutoCloseable {
    private static final Pattern CONV1D =
            Pattern.compile("transformer\\.h\\.\\d+\\.(attn\\.c_attn|attn\\.c_proj|mlp\\.c_fc|mlp\\.c_proj)\\.weight");
    private static final Pattern MASK = Pattern.compile("(transformer\\.)?h\\.\\d+\\.attn\\.(bias|masked_bias)");
    private static final String PREFIX = "transformer.";
    private static final String HEAD = "lm_head.weight";

    private final ModelSpec model;
    private final Map<String, int[]> shapes;
    private final Safetensors weights;
    private final String prefix;

    private Gpt2Folder(ModelSpec model, Safetensors weights) throws InvalidFileException {
        this.model = model;
        this.shapes = shapes(model);
        this.weights = weights;
        this.prefix = weights.tensors().containsKey("wte.weight") ? "" : PREFIX;
        Map<String, int[]> stored = new LinkedHashMap<>();
        shapes.forEach((name, shape) ->
                stored.put(storedName(name), isTransposed(name) ? new int[] {shape[1], shape[0]} : shape));
        weights.expect(stored, name -> MASK.matcher(name).matches() || (model.tiedHead() && name.equals(HEAD)));
    }

    /** Opens {@code folder} and checks that it holds exactly the tensors that its configuration calls for. */
    public static Gpt2Folder open(Path folder) throws IOException {
        ModelSpec model = Gpt2Config.read(folder);
        Safetensors weights = Safetensors.openFolder(folder);
        try {
            return new Gpt2Folder(model, weights);
        } catch (IOException | RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** The network; with biases, and without dropout, which is no part of a folder's weights. */
    public ModelSpec model() {
        return model;
    }

    /** Names and shapes of the tensors. */
    public Map<String, int[]> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    /** Writes tensor {@code name} as float32, row-major, in the shape of {@link #shapes}, to {@code to}, which just holds it. */
    public void read(String name, MemorySegment to) throws InvalidFileException {
        StoredTensor stored = weights.tensor(storedName(name));
        if (!isTransposed(name)) {
            stored.toFloats(to);
            return;
        }
        int[] shape = shapes.get(name);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate(4 * stored.elements(), 64);
            stored.toFloats(floats);
            transpose(floats, shape[1], shape[0], to);
        }
    }

    /**
     * As {@link #read}, but of tables of tokens and positions as many rows as {@code to} holds: tokens that are not stored get zeros, positions
     * that are not asked for are left out, as nanoGPT crops a model.
     */
    public void readRows(String name, MemorySegment to) throws InvalidFileException {
        StoredTensor stored = weights.tensor(storedName(name));
        if (4 * stored.elements() == to.byteSize()) {
            read(name, to);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate(4 * stored.elements(), 64);
            stored.toFloats(floats);
            long both = Math.min(floats.byteSize(), to.byteSize());
            MemorySegment.copy(floats, 0, to, 0, both);
            to.asSlice(both).fill((byte) 0);
        }
    }

    /** The model that {@code config.json} in {@code folder} describes; weights are not looked at. */
    public static ModelSpec describe(Path folder) throws IOException {
        return Gpt2Config.read(folder);
    }

    /**
     * Requires that {@code model} can begin with the weights in {@code folder}: it is that network, of no more positions.
     *
     * @param stored what the folder's configuration describes
     * @param model its vocabulary may be 0, not known yet
     * @throws InvalidFileException naming all that differs
     */
    public static void requireFit(Path folder, ModelSpec stored, ModelSpec model) throws InvalidFileException {
        List<String> faults = new ArrayList<>();
        differ(faults, "layers", stored.layers(), model.layers());
        differ(faults, "heads", stored.heads(), model.heads());
        differ(faults, "width", stored.width(), model.width());
        differ(faults, "bias", stored.bias(), model.bias());
        differ(faults, "activation", stored.activation(), model.activation());
        differ(faults, "normEpsilon", stored.normEpsilon(), model.normEpsilon());
        differ(faults, "tiedHead", stored.tiedHead(), model.tiedHead());
        if (model.sequenceLength() > stored.sequenceLength()) {
            faults.add("model.sequenceLength is %d, at most %d positions are there"
                    .formatted(model.sequenceLength(), stored.sequenceLength()));
        }
        boolean padded = Math.min(model.vocabulary(), stored.vocabulary()) > Gpt2Config.GPT2_END_OF_TEXT;
        if (model.vocabulary() > 0 && model.vocabulary() != stored.vocabulary() && !padded) {
            faults.add(
                    "model.vocabulary is %d, %d tokens are there".formatted(model.vocabulary(), stored.vocabulary()));
        }
        if (!faults.isEmpty()) {
            throw new InvalidFileException(
                    folder.resolve(Gpt2Config.FILE), "model", String.join("; ", faults) + "; give what is there");
        }
    }

    private static void differ(List<String> faults, String setting, Object stored, Object model) {
        if (!stored.equals(model)) {
            String there = stored instanceof Enum<?> named ? named.name().toLowerCase(Locale.ROOT) : stored.toString();
            String here = model instanceof Enum<?> named ? named.name().toLowerCase(Locale.ROOT) : model.toString();
            faults.add("model.%s is %s, there it is %s".formatted(setting, here, there));
        }
    }

    @Override
    public void close() {
        weights.close();
    }

    /** Names and shapes of every tensor of {@code model}; linear weights are (outputs, inputs). */
    public static Map<String, int[]> shapes(ModelSpec model) {
        int width = model.width();
        Map<String, int[]> shapes = new LinkedHashMap<>();
        shapes.put("transformer.wte.weight", new int[] {model.vocabulary(), width});
        shapes.put("transformer.wpe.weight", new int[] {model.sequenceLength(), width});
        for (int layer = 0; layer < model.layers(); layer++) {
            String block = "transformer.h." + layer + ".";
            put(shapes, model, block + "ln_1", width);
            put(shapes, model, block + "attn.c_attn", 3 * width, width);
            put(shapes, model, block + "attn.c_proj", width, width);
            put(shapes, model, block + "ln_2", width);
            put(shapes, model, block + "mlp.c_fc", 4 * width, width);
            put(shapes, model, block + "mlp.c_proj", width, 4 * width);
        }
        put(shapes, model, "transformer.ln_f", width);
        if (!model.tiedHead()) {
            shapes.put(HEAD, new int[] {model.vocabulary(), width});
        }
        return shapes;
    }

    private static void put(Map<String, int[]> shapes, ModelSpec model, String name, int... shape) {
        shapes.put(name + ".weight", shape);
        if (model.bias()) {
            shapes.put(name + ".bias", new int[] {shape[0]});
        }
    }

    /** Whether tensor {@code name} is stored (inputs, outputs) in such a folder. */
    public static boolean isTransposed(String name) {
        return CONV1D.matcher(name).matches();
    }

    /** Writes the transpose of {@code from} (rows, columns), of 4-byte elements, to {@code to} (columns, rows). */
    static void transpose(MemorySegment from, int rows, int columns, MemorySegment to) {
        int tile = 32; // a line of cache serves several elements on both sides
        for (int row0 = 0; row0 < rows; row0 += tile) {
            for (int column0 = 0; column0 < columns; column0 += tile) {
                for (int row = row0; row < Math.min(rows, row0 + tile); row++) {
                    for (int column = column0; column < Math.min(columns, column0 + tile); column++) {
                        to.set(
                                ValueLayout.JAVA_INT_UNALIGNED,
                                4 * ((long) column * rows + row),
                                from.get(ValueLayout.JAVA_INT_UNALIGNED, 4 * ((long) row * columns + column)));
                    }
                }
            }
        }
    }

    private String storedName(String name) {
        return name.equals(HEAD) ? name : prefix + name.substring(PREFIX.length());
    }
}
