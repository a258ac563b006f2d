package pacer.trainer.eval;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.Gpt2Folder;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.PacerFolder;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Parameters;
import pacer.trainer.model.Replica;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.text.HuggingFaceTokenizer;
import pacer.trainer.text.TextDecoder;
import pacer.trainer.text.Tokenizer;

/** A trained model with its tokenizer: text in, text out. */
public final class TextModel implements AutoCloseable {
    private final Replica replica;
    private final Tokenizer tokenizer;

    private TextModel(Replica replica, Tokenizer tokenizer) {
        this.replica = replica;
        this.tokenizer = tokenizer;
    }

    /**
     * Opens a checkpoint's folder, that of a Hugging Face GPT-2, or an exported model's.
     *
     * @throws InvalidFileException when the folder is neither, or a file in it is damaged
     */
    public static TextModel open(Path folder, Engine engine) throws IOException {
        if (Files.exists(folder.resolve("config.json"))) {
            return PacerFolder.type(folder).equals(PacerFolder.TYPE)
                    ? exported(folder, engine)
                    : ofHuggingFace(folder, engine);
        }
        Checkpoint checkpoint = Checkpoint.openSound(folder);
        TrainingState state = checkpoint.state();
        Tokenizer tokenizer = Tokenizer.of(state.tokenizer(), characters(state.vocabulary()));
        int window = state.window() == null ? state.model().attention().windowAt(1) : state.window();
        try (Safetensors stored = checkpoint.openWeights()) {
            return loaded(engine, state.model(), tokenizer, window, (name, values) -> stored.tensor(name)
                    .toFloats(values));
        }
    }

    private static TextModel ofHuggingFace(Path folder, Engine engine) throws IOException {
        try (Gpt2Folder stored = Gpt2Folder.open(folder)) {
            ModelSpec model = stored.model();
            Tokenizer tokenizer = HuggingFaceTokenizer.of(folder, model.vocabulary());
            return loaded(engine, model, tokenizer, 0, (name, values) -> stored.read(name, values));
        }
    }

    private static TextModel exported(Path folder, Engine engine) throws IOException {
        PacerFolder described = PacerFolder.read(folder);
        Tokenizer tokenizer = HuggingFaceTokenizer.of(folder, described.model().vocabulary());
        Map<String, int[]> shapes = new LinkedHashMap<>();
        for (Parameter p : Parameters.of(described.model()).all()) {
            shapes.put(p.name(), p.shape().stream().mapToInt(d -> d).toArray());
        }
        try (Safetensors stored = Safetensors.openFolder(folder)) {
            stored.expect(shapes);
            return loaded(
                    engine, described.model(), tokenizer, described.window(), (name, values) -> stored.tensor(name)
                            .toFloats(values));
        }
    }

    /** Fills a tensor's values in. */
    private interface Weights {
        void read(String name, MemorySegment values) throws IOException;
    }

    private static TextModel loaded(Engine engine, ModelSpec model, Tokenizer tokenizer, int window, Weights weights)
            throws IOException {
        Replica replica = engine.open(model, 1, model.sequenceLength(), false);
        try {
            replica.load((parameter, values) -> weights.read(parameter.name(), values));
            replica.setWindow(window);
            return new TextModel(replica, tokenizer);
        } catch (IOException | RuntimeException e) {
            replica.close();
            throw e;
        }
    }

    /** A model and its tokenizer that are in use already, such as those of a training. Whoever made the replica closes it. */
    public static TextModel of(Replica replica, Tokenizer tokenizer) {
        return new TextModel(replica, tokenizer);
    }

    private static List<String> characters(String vocabulary) {
        return vocabulary == null
                ? List.of()
                : vocabulary.codePoints().mapToObj(Character::toString).toList();
    }

    /** The network. */
    public ModelSpec model() {
        return replica.model();
    }

    /** One line for people: what it computes with. */
    public String description() {
        return replica.description();
    }

    /**
     * Continues {@code prompt}.
     *
     * @param tokens how many to write
     * @param number which sample; others of the same seed are other texts
     * @param each hears the text piece by piece
     * @return the continuation, without the prompt
     * @throws pacer.trainer.data.BadDataException when the prompt has a character that the vocabulary has not
     */
    public String write(String prompt, int tokens, Sampler.Settings settings, int number, Consumer<String> each) {
        StringBuilder text = new StringBuilder();
        TextDecoder decoder = new TextDecoder(tokenizer);
        Consumer<String> both = piece -> {
            text.append(piece);
            each.accept(piece);
        };
        int[] start = tokenizer.encodePrompt(prompt);
        Sampler sampler = new Sampler(replica.decoder(room(prompt, tokens, replica.length())));
        sampler.continuing(
                start, tokens, settings, number, tokenizer.vocabularySize(), token -> both.accept(decoder.next(token)));
        both.accept(decoder.end());
        return text.toString();
    }

    /**
     * Tokens that a decoder needs room for: no token has less than a byte of the prompt. Memory goes by this, so it needs no tokenizer.
     *
     * @param length of the longest context
     */
    public static int room(String prompt, int tokens, int length) {
        return (int) Math.min(length, (long) prompt.getBytes(StandardCharsets.UTF_8).length + tokens);
    }

    @Override
    public void close() {
        replica.close();
    }
}
