package pacer.trainer.parity;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import pacer.trainer.checkpoint.Gpt2Folder;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.eval.Sampler;
import pacer.trainer.model.DropoutPlan;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.spec.ModelSpec;

/** A trace of kind {@code hf}: a Hugging Face GPT-2 folder with logits, loss, gradients and a greedy continuation. */
final class HuggingFaceReplay {

    private static final Set<String> COMPARED = Set.of("inputs", "targets", "logits", "greedy");

    private HuggingFaceReplay() {}

    static ParityReport replay(TraceJson trace, Path folder, Engine engine) throws IOException {
        Tolerances tolerance = Tolerances.of(engine.precision());
        try (Gpt2Folder theirs = Gpt2Folder.open(folder);
                Safetensors golden = Safetensors.open(folder.resolve("golden.safetensors"));
                Arena arena = Arena.ofShared()) {
            ModelSpec model = theirs.model();
            StoredTensor inputs = golden.tensor("inputs");
            StoredTensor targets = golden.tensor("targets");
            TraceTensors.requireAlike(inputs, targets, 2);
            int sequences = Math.toIntExact(inputs.shape().getFirst());
            int length = Math.toIntExact(inputs.shape().getLast());
            try (Replica replica = engine.open(model, sequences, length, true)) {
                TraceTensors.requireKnown(golden, COMPARED::contains, replica, List.of("grad."));
                Comparison compare = new Comparison(replica);
                replica.load((parameter, values) -> theirs.read(parameter.name(), values));
                MemorySegment x = TraceTensors.tokens(inputs, model.vocabulary(), arena);
                MemorySegment y = TraceTensors.tokens(targets, model.vocabulary(), arena);

                List<Long> shape = List.of((long) sequences, (long) length, (long) model.vocabulary());
                MemorySegment logits = TraceTensors.floats(golden.tensor("logits"), shape, arena);
                compare.logits("logits", x, logits, sequences, tolerance.logits());

                double tokens = (double) sequences * length;
                double loss = replica.forwardBackward(x, y, (float) (1 / tokens), DropoutPlan.NONE) / tokens;
                replica.reduceGradients();
                compare.number("loss", loss, trace.number("/loss"), tolerance.firstLoss());
                compare.parameters(
                        "gradients", replica.gradients(), gradients(golden, replica, arena), tolerance.gradients());
                compareGreedy(compare, golden, inputs, replica, arena);
                return new ParityReport(
                        folder.getFileName().toString(), replica.device().description(), compare.quantities());
            }
        }
    }

    /** The trace's row is a prompt, which is the beginning of the first input, and its likeliest continuation. */
    private static void compareGreedy(
            Comparison compare, Safetensors golden, StoredTensor inputs, Replica replica, Arena arena)
            throws IOException {
        StoredTensor stored = golden.tensors().get("greedy");
        if (stored == null) {
            return;
        }
        int[] theirs =
                TraceTensors.tokens(stored, replica.model().vocabulary(), arena).toArray(ValueLayout.JAVA_INT);
        int[] row = Arrays.copyOf(inputs.ints(), replica.length());
        int prompt = Arrays.mismatch(theirs, row);
        if (prompt < 1 || prompt == theirs.length) {
            throw new InvalidFileException(
                    stored.file(),
                    "tensor \"greedy\"",
                    "must begin with tokens of the first row of \"inputs\", then go on");
        }
        int[] ours = Arrays.copyOf(theirs, prompt);
        IntStream.Builder drawn = IntStream.builder();
        new Sampler(replica.decoder())
                .continuing(
                        ours,
                        theirs.length - prompt,
                        new Sampler.Settings(0, 0, 0),
                        0,
                        replica.model().vocabulary(),
                        drawn::add);
        int[] continued = IntStream.concat(Arrays.stream(ours), drawn.build()).toArray();
        int mismatch = Arrays.mismatch(continued, theirs);
        compare.agreement(
                "greedy continuation",
                mismatch < 0,
                mismatch < 0 ? theirs.length - prompt + " tokens" : "token " + mismatch);
    }

    /** The trace's gradients under our names and in our layout. */
    private static Map<String, MemorySegment> gradients(Safetensors golden, Replica replica, Arena arena)
            throws IOException {
        Map<String, MemorySegment> found =
                TraceTensors.parameters(golden, "grad.", replica, Gpt2Folder::isTransposed, arena);
        for (Parameter p : replica.parameters().all()) {
            MemorySegment values = found.get(p.name());
            if (values != null && Gpt2Folder.isTransposed(p.name())) {
                int rows = p.shape().get(0);
                int columns = p.shape().get(1);
                MemorySegment turned = arena.allocate(values.byteSize(), 64);
                for (int r = 0; r < rows; r++) {
                    for (int c = 0; c < columns; c++) {
                        float value = values.getAtIndex(ValueLayout.JAVA_FLOAT, (long) c * rows + r);
                        turned.setAtIndex(ValueLayout.JAVA_FLOAT, (long) r * columns + c, value);
                    }
                }
                found.put(p.name(), turned);
            }
        }
        return found;
    }
}
