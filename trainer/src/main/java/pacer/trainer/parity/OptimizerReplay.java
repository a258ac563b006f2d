package pacer.trainer.parity;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.model.Engine;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations.Adafactor;
import pacer.trainer.ops.Operations.AdamW;
import pacer.trainer.ops.Tensor;

/**
 * Gives recorded gradients to update rules and compares the parameter after each step: {@code W.init} and {@code W.grads} (steps, …), and for each rule
 * that the description names {@code adamw.W} (steps, …); matrices and vectors.
 */
final class OptimizerReplay {
    private static final String INIT = ".init";
    private static final String GRADIENTS = ".grads";

    private final TraceJson trace;
    private final Safetensors stored;
    private final Device device;

    private OptimizerReplay(TraceJson trace, Safetensors stored, Device device) {
        this.trace = trace;
        this.stored = stored;
        this.device = device;
    }

    static ParityReport replay(TraceJson trace, Path tensors, Engine engine) throws IOException {
        try (Safetensors stored = Safetensors.open(tensors);
                Device device = engine.device()) {
            double tolerance = Tolerances.of(engine.precision()).updates();
            List<Quantity> quantities = new OptimizerReplay(trace, stored, device).compare(tolerance);
            return new ParityReport(trace.name(), device.description(), quantities);
        }
    }

    private List<Quantity> compare(double tolerance) throws IOException {
        List<String> rules = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : trace.root().properties()) {
            if (entry.getValue().isObject()) {
                rules.add(entry.getKey());
            }
        }
        List<String> parameters = stored.tensors().keySet().stream()
                .filter(name -> name.endsWith(INIT))
                .map(name -> name.substring(0, name.length() - INIT.length()))
                .toList();
        requireKnown(rules, parameters);
        List<Quantity> quantities = new ArrayList<>();
        for (String rule : rules) {
            for (String parameter : parameters) {
                quantities.add(compare(rule, parameter, tolerance));
            }
        }
        if (quantities.isEmpty()) {
            throw new InvalidFileException(
                    trace.file(), "rules", "no rule with its settings, or no parameter X.init, nothing to compare");
        }
        return quantities;
    }

    private void requireKnown(List<String> rules, List<String> parameters) throws InvalidFileException {
        for (StoredTensor tensor : stored.tensors().values()) {
            String name = tensor.name();
            boolean given = parameters.stream().anyMatch(p -> name.equals(p + INIT) || name.equals(p + GRADIENTS));
            boolean result = rules.stream().anyMatch(r -> parameters.stream().anyMatch(p -> name.equals(r + "." + p)));
            if (!given && !result) {
                throw TraceTensors.refused(tensor, "is of no rule and no parameter of this trace");
            }
        }
    }

    private Quantity compare(String name, String parameter, double tolerance) throws IOException {
        StoredTensor init = stored.tensor(parameter + INIT);
        StoredTensor gradients = stored.tensor(parameter + GRADIENTS);
        List<Long> shape = init.shape();
        if (shape.isEmpty() || shape.size() > 2 || init.elements() == 0) {
            throw TraceTensors.refused(init, "has shape " + shape + "; a matrix or a vector is expected");
        }
        if (gradients.shape().isEmpty()
                || !gradients.shape().subList(1, gradients.shape().size()).equals(shape)
                || gradients.elements() == 0) {
            throw TraceTensors.refused(
                    gradients, "has shape " + gradients.shape() + "; of each step one of " + shape + " is expected");
        }
        int steps = Math.toIntExact(gradients.shape().getFirst());
        long bytes = 4 * init.elements();
        double worst = 0;
        String at = "";
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment given = TraceTensors.floats(gradients, gradients.shape(), arena);
            MemorySegment theirs = TraceTensors.floats(stored.tensor(name + "." + parameter), gradients.shape(), arena);
            MemorySegment ours = arena.allocate(bytes, 64);
            int[] dimensions = shape.stream().mapToInt(Math::toIntExact).toArray();
            Tensor weights = device.allocate(parameter, DType.F32, dimensions);
            Tensor gradient = device.allocate("gradient", DType.F32, dimensions);
            device.write(weights, TraceTensors.floats(init, shape, arena));
            Step rule = rule(name, weights, gradient);
            for (int step = 1; step <= steps; step++) {
                device.write(gradient, given.asSlice((step - 1) * bytes, bytes));
                rule.take(step);
                device.read(weights, ours);
                double difference = Quantity.relativeNorm(ours, theirs.asSlice((step - 1) * bytes, bytes));
                if (!(difference <= worst)) {
                    worst = difference;
                    at = "step " + step;
                }
            }
        }
        return new Quantity(name + " " + parameter, worst, tolerance, at);
    }

    /** Updates the weights from the gradient, at a step that counts from 1. */
    private interface Step {
        void take(long step);
    }

    private Step rule(String name, Tensor weights, Tensor gradient) throws InvalidFileException {
        return switch (name) {
            case "adamw" -> adamW(name, weights, gradient);
            // as its definition says, vectors take AdamW
            case "striped_adamw" ->
                weights.rank() == 2 ? striped(name, weights, gradient) : adamW(name, weights, gradient);
            case "adafactor" -> adafactor(name, weights, gradient);
            default ->
                throw new InvalidFileException(
                        trace.file(), "/" + name, "no such rule; known are adamw, striped_adamw and adafactor");
        };
    }

    private Step adamW(String name, Tensor weights, Tensor gradient) throws InvalidFileException {
        AdamW settings = settings(name);
        float rate = number(name, "lr");
        float decay = number(name, "weight_decay");
        Tensor first = zeros("first moment", weights.shape());
        Tensor second = zeros("second moment", weights.shape());
        return step -> device.operations()
                .adamW(weights, gradient, first, second, 0, weights.size(), settings, rate, decay, 1, step);
    }

    private Step striped(String name, Tensor weights, Tensor gradient) throws InvalidFileException {
        AdamW settings = settings(name);
        float rate = number(name, "lr");
        float decay = number(name, "weight_decay");
        Tensor first = zeros("first moment", weights.shape());
        Tensor row = zeros("row moment", weights.dim(0));
        Tensor column = zeros("column moment", weights.dim(1));
        return step ->
                device.operations().stripedAdamW(weights, gradient, first, row, column, settings, rate, decay, 1, step);
    }

    private Step adafactor(String name, Tensor weights, Tensor gradient) throws InvalidFileException {
        for (String option : List.of("scale_parameter", "relative_step")) {
            if (trace.flag("/" + name + "/" + option)) {
                throw new InvalidFileException(
                        trace.file(), "/" + name + "/" + option, "true; this replay knows false");
            }
        }
        Adafactor settings = new Adafactor(
                trace.number("/" + name + "/decay_rate"),
                (float) trace.number("/" + name + "/eps/0"),
                number(name, "clip_threshold"));
        float rate = number(name, "lr");
        float decay = number(name, "weight_decay");
        if (weights.rank() == 1) {
            Tensor second = zeros("second moment", weights.dim(0));
            return step ->
                    device.operations().adafactorVector(weights, gradient, second, settings, rate, decay, 1, step);
        }
        Tensor row = zeros("row moment", weights.dim(0));
        Tensor column = zeros("column moment", weights.dim(1));
        return step -> device.operations().adafactor(weights, gradient, row, column, settings, rate, decay, 1, step);
    }

    private AdamW settings(String name) throws InvalidFileException {
        return new AdamW(
                (float) trace.number("/" + name + "/betas/0"),
                (float) trace.number("/" + name + "/betas/1"),
                number(name, "eps"));
    }

    private float number(String name, String setting) throws InvalidFileException {
        return (float) trace.number("/" + name + "/" + setting);
    }

    private Tensor zeros(String name, int... shape) {
        Tensor tensor = device.allocate(name, DType.F32, shape);
        device.operations().zero(tensor);
        return tensor;
    }
}
