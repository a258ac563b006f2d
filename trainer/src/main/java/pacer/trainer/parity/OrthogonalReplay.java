package pacer.trainer.parity;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.model.Engine;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.optim.NewtonSchulz;

/** Orthogonalizes the matrices {@code G.*} of a trace and compares with its {@code O.*}. */
final class OrthogonalReplay {
    private static final String GIVEN = "G.";
    private static final String RESULT = "O.";
    private static final int MOST_STEPS = 100;

    private OrthogonalReplay() {}

    static ParityReport replay(TraceJson trace, Path tensors, Engine engine) throws IOException {
        int steps = trace.integer("/steps");
        if (steps < 0 || steps > MOST_STEPS) {
            throw new InvalidFileException(trace.file(), "/steps", steps + "; must be 0 to " + MOST_STEPS);
        }
        trace.require("/dtype", "fp32");
        List<Quantity> quantities = new ArrayList<>();
        try (Safetensors stored = Safetensors.open(tensors);
                Device device = engine.device()) {
            for (StoredTensor given : stored.tensors().values()) {
                if (given.name().startsWith(GIVEN)) {
                    String name = given.name().substring(GIVEN.length());
                    quantities.add(compare(name, given, stored.tensor(RESULT + name), steps, engine, device));
                } else if (!given.name().startsWith(RESULT)
                        || !stored.tensors().containsKey(GIVEN + given.name().substring(RESULT.length()))) {
                    throw TraceTensors.refused(given, "is neither a matrix G.… nor the result O.… of one");
                }
            }
            if (quantities.isEmpty()) {
                throw new InvalidFileException(tensors, "tensors", "there is no matrix G.…, nothing to compare");
            }
            return new ParityReport(trace.name(), device.description(), quantities);
        }
    }

    private static Quantity compare(
            String name, StoredTensor given, StoredTensor result, int steps, Engine engine, Device device)
            throws IOException {
        if (given.shape().size() != 2 || given.elements() == 0) {
            throw TraceTensors.refused(given, "has shape " + given.shape() + "; a matrix is expected");
        }
        int rows = Math.toIntExact(given.shape().getFirst());
        int columns = Math.toIntExact(given.shape().getLast());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment theirs = TraceTensors.floats(result, given.shape(), arena);
            Tensor matrix = device.allocate(name, DType.F32, rows, columns);
            device.write(matrix, TraceTensors.floats(given, given.shape(), arena));
            MemorySegment ours = arena.allocate(theirs.byteSize(), 64);
            device.read(new NewtonSchulz(device, rows, columns, engine.factors()).of(matrix, steps), ours);
            double tolerance = Tolerances.of(engine.precision()).orthogonal();
            return new Quantity(RESULT + name, Quantity.relativeNorm(ours, theirs), tolerance, "");
        }
    }
}
