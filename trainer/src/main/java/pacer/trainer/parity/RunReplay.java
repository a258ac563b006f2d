package pacer.trainer.parity;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.trainer.checkpoint.ElementType;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.model.DropoutPlan;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.optim.GradientClip;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/** A trace of kind {@code run}: initial weights, batches, then losses, first gradients and final weights of a training. */
final class RunReplay {

    private static final Pattern LOGITS = Pattern.compile("logits\\.step0\\.row(\\d{1,6})");
    private static final List<String> OF_PARAMETERS = List.of("init.", "grad.step0.", "final.");

    private RunReplay() {}

    static ParityReport replay(TraceJson trace, Path tensors, Engine engine) throws IOException {
        RunSettings settings = RunSettings.of(trace);
        ModelSpec model = settings.model();
        JsonNode losses = trace.at("/losses");
        JsonNode norms = trace.root().path("grad_norms_before_clip");
        int steps = trace.integer("/training/steps");
        if (steps < 1 || losses.isEmpty()) {
            throw new InvalidFileException(trace.file(), "/training/steps", "no step was recorded: nothing to compare");
        }
        if (losses.size() != steps) {
            throw new InvalidFileException(trace.file(), "/losses", losses.size() + " for " + steps + " steps");
        }
        if (!settings.windows().isEmpty() && settings.windows().size() != steps) {
            throw new InvalidFileException(
                    trace.file(), "/training/window_blocks", settings.windows().size() + " for " + steps + " steps");
        }
        Tolerances tolerance =
                settings.largeRates() ? Tolerances.ofLargeRates(engine.precision()) : Tolerances.of(engine.precision());
        try (Safetensors stored = Safetensors.open(tensors);
                Arena arena = Arena.ofShared()) {
            StoredTensor inputs = batches(stored, "inputs", steps);
            StoredTensor targets = batches(stored, "targets", steps);
            TraceTensors.requireAlike(inputs, targets, inputs.shape().size());
            MemorySegment allInputs = TraceTensors.tokens(inputs, model.vocabulary(), arena);
            MemorySegment allTargets = TraceTensors.tokens(targets, model.vocabulary(), arena);
            int sequences = inputs.shape().size() == 2
                    ? 1
                    : Math.toIntExact(inputs.shape().get(1));
            int length = Math.toIntExact(inputs.shape().getLast());
            try (Replica replica = engine.open(model, sequences, length, true)) {
                TraceTensors.requireKnown(
                        stored,
                        name -> name.equals("inputs")
                                || name.equals("targets")
                                || LOGITS.matcher(name).matches(),
                        replica,
                        OF_PARAMETERS);
                Comparison compare = new Comparison(replica);
                Map<String, MemorySegment> initial = named(stored, "init.", replica, arena);
                for (Parameter p : replica.parameters().all()) {
                    if (!initial.containsKey(p.name())) {
                        stored.tensor("init." + p.name()); // says what is missing
                    }
                }
                replica.load(initial);
                Optimizer optimizer = Optimizer.of(replica, settings.optimizer());
                setWindow(replica, settings, 0);
                compareLogits(compare, stored, replica, allInputs, tolerance, arena);
                for (int step = 0; step < steps; step++) {
                    MemorySegment x = batch(allInputs, step, sequences, length);
                    MemorySegment y = batch(allTargets, step, sequences, length);
                    setWindow(replica, settings, step);
                    replica.zeroGradients();
                    double tokens = (double) sequences * length;
                    double loss = replica.forwardBackward(x, y, (float) (1 / tokens), DropoutPlan.NONE) / tokens;
                    replica.reduceGradients();
                    double norm = replica.gradientNorm();
                    compare.number(
                            "loss " + step,
                            loss,
                            losses.get(step).doubleValue(),
                            step == 0 ? tolerance.firstLoss() : tolerance.laterLosses());
                    if (step == 0) {
                        Map<String, MemorySegment> gradients = named(stored, "grad.step0.", replica, arena);
                        compare.parameters("gradients", replica.gradients(), gradients, tolerance.gradients());
                    }
                    // in other arithmetic than the trace's, norms after the first update are mostly noise
                    if (norms.has(step) && (step == 0 || engine.precision() == Precision.FP32)) {
                        compare.number(
                                "gradient norm " + step,
                                norm,
                                norms.get(step).doubleValue(),
                                step == 0 ? tolerance.gradients() : 10 * tolerance.laterLosses());
                    }
                    optimizer.update(
                            settings.schedule().learningRate(step),
                            GradientClip.factor(norm, settings.clip()),
                            step + 1);
                }
                Map<String, MemorySegment> finals = named(stored, "final.", replica, arena);
                compare.parameters("final weights", replica.weights(), finals, tolerance.finalWeights());
                return new ParityReport(trace.name(), replica.device().description(), compare.quantities());
            }
        }
    }

    private static void setWindow(Replica replica, RunSettings settings, int step) {
        if (!settings.windows().isEmpty()) {
            replica.setWindow(settings.windows().get(step));
        }
    }

    private static void compareLogits(
            Comparison compare,
            Safetensors stored,
            Replica replica,
            MemorySegment inputs,
            Tolerances tolerance,
            Arena arena)
            throws IOException {
        List<Long> shape =
                List.of((long) replica.length(), (long) replica.model().vocabulary());
        long bytes = 4L * replica.length();
        for (StoredTensor logits : stored.tensors().values()) {
            Matcher name = LOGITS.matcher(logits.name());
            if (!name.matches()) {
                continue;
            }
            int row = Integer.parseInt(name.group(1));
            if (row >= replica.sequences()) {
                throw new InvalidFileException(
                        logits.file(),
                        "tensor \"" + logits.name() + "\"",
                        "is of a row that \"inputs\" has not; it has " + replica.sequences());
            }
            MemorySegment theirs = TraceTensors.floats(logits, shape, arena);
            compare.logits("logits of row " + row, inputs.asSlice(row * bytes, bytes), theirs, 1, tolerance.logits());
        }
    }

    private static StoredTensor batches(Safetensors stored, String name, int steps) throws IOException {
        StoredTensor tensor = stored.tensor(name);
        if (tensor.type() != ElementType.I32
                || tensor.shape().size() < 2
                || tensor.shape().size() > 3
                || tensor.shape().getFirst() != steps) {
            throw new InvalidFileException(
                    tensor.file(),
                    "tensor \"" + name + "\"",
                    "is " + tensor.type() + " " + tensor.shape() + "; expected I32 [" + steps + ", batch, length], or ["
                            + steps + ", length] of one sequence");
        }
        return tensor;
    }

    private static MemorySegment batch(MemorySegment all, int step, int sequences, int length) {
        long bytes = 4L * sequences * length;
        return all.asSlice(step * bytes, bytes);
    }

    private static Map<String, MemorySegment> named(Safetensors trace, String prefix, Replica replica, Arena arena)
            throws IOException {
        return TraceTensors.parameters(trace, prefix, replica, name -> false, arena);
    }
}
