package pacer.trainer.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.ops.cpu.Crew;
import pacer.trainer.spec.ModelSpec;

/**
 * One rank's copy of a model, divided over lanes. A lane is a thread with buffers and gradients of its own that takes its share of
 * a micro-batch through the whole model; lanes share the weights and meet a few times a step. Small models run fastest so (few
 * meetings, each lane's activations stay in its core's cache); large ones take one lane whose operations divide their own work,
 * which needs the gradients only once. A lane takes its share in one or more passes, forward and backward a few sequences at
 * a time, and adds the gradients up: activations are held for one pass only.
 */
public final class Replica implements AutoCloseable {
    private final ModelSpec model;
    private final MemoryPolicy policy;
    private final Parameters parameters;
    private final List<Device> devices = new ArrayList<>();
    private final Crew lanes;
    private final Tensor weights;
    private final Tensor products;
    private final Tensor[] gradients;
    private final Gpt[] gpts;
    private final double[] losses;
    private final int[] firstSequence;
    private final int length;
    private final int passTokens;
    private int window;
    private Gpt single; // made when first asked for, as the decoder, and without training as the lanes' models
    private Decoder decoder;
    private List<Continuations> continuations; // one a lane

    /**
     * Plans a replica.
     *
     * @param policy what is computed anew rather than held
     * @param lanes the devices, one a lane; the first holds the weights
     * @param sequences sequences a micro-batch, at least one a lane
     * @param passTokens tokens that a pass has at least, where a lane's share has as many
     * @param training whether it will run backward passes; then all of it is planned here, else what is used
     */
    public Replica(
            ModelSpec model,
            MemoryPolicy policy,
            List<Device> lanes,
            DType products,
            int sequences,
            int length,
            int passTokens,
            boolean training) {
        if (length > model.sequenceLength()) {
            throw new IllegalArgumentException(
                    "sequences of " + length + " tokens exceed the model's " + model.sequenceLength());
        }
        this.model = model;
        this.policy = policy;
        this.length = length;
        this.window = model.attention().windowAt(1);
        this.passTokens = passTokens;
        this.parameters = Parameters.of(model);
        this.devices.addAll(lanes);
        int n = lanes.size();
        Device first = lanes.getFirst();
        int elements = parameters.elements();
        this.weights = first.allocate("weights", DType.F32, elements);
        this.products = products == DType.F32 ? weights : first.allocate("products", products, elements);
        this.gradients = new Tensor[n];
        this.gpts = new Gpt[n];
        this.losses = new double[n];
        this.firstSequence = new int[n + 1];
        this.lanes = new Crew(n, "lane");
        for (int lane = 0; lane < n; lane++) {
            firstSequence[lane + 1] = sequences * (lane + 1) / n;
            if (training) {
                gradients[lane] = lanes.get(lane).allocate("gradients", DType.F32, elements);
                gpts[lane] = plan(lane);
            }
        }
    }

    private Gpt plan(int lane) {
        int pass = passSequences(firstSequence[lane + 1] - firstSequence[lane], length, passTokens);
        return gpt(devices.get(lane), gradients[lane], pass);
    }

    private Gpt gpt(Device device, Tensor gradients, int sequences) {
        Gpt gpt = new Gpt(model, policy, parameters, device, weights, products, gradients, sequences, length);
        gpt.setWindow(window);
        return gpt;
    }

    /**
     * What a position sees from now on, where the model's windows grow; at first it is what it sees at the end of training.
     *
     * @param progress how much of the training is done, 0 to 1
     */
    public void setProgress(double progress) {
        setWindow(model.attention().windowAt(progress));
    }

    /** Tokens that a position sees from now on; 0: all. */
    public void setWindow(int tokens) {
        window = tokens;
        Stream.concat(Arrays.stream(gpts), Stream.ofNullable(single))
                .filter(Objects::nonNull)
                .forEach(gpt -> gpt.setWindow(tokens));
        if (decoder != null) {
            decoder.setWindow(tokens);
        }
        if (continuations != null) {
            continuations.forEach(each -> each.setWindow(tokens));
        }
    }

    /** The smallest divisor of {@code share} that makes a pass of at least {@code passTokens}; all of it if none does. */
    private static int passSequences(int share, int length, int passTokens) {
        for (int pass = 1; pass < share; pass++) {
            if (share % pass == 0 && (long) pass * length >= passTokens) {
                return pass;
            }
        }
        return share;
    }

    public Parameters parameters() {
        return parameters;
    }

    public ModelSpec model() {
        return model;
    }

    /** All parameters, F32. After writing to them call {@link #weightsChanged}. */
    public Tensor weights() {
        return weights;
    }

    /** The gradients, whole after {@link #reduceGradients}. */
    public Tensor gradients() {
        return gradients[0];
    }

    /** The device that holds the weights. */
    public Device device() {
        return devices.getFirst();
    }

    /** Sequences a micro-batch. */
    public int sequences() {
        return firstSequence[gpts.length];
    }

    /** Lanes that it is divided over. */
    public int lanes() {
        return gpts.length;
    }

    /** Sequences that the lanes take through the model at once, the largest of them: a pass of a training. */
    public int sequencesAPass() {
        return Arrays.stream(gpts).mapToInt(Gpt::sequences).max().orElseThrow();
    }

    /** Tokens a sequence. */
    public int length() {
        return length;
    }

    /** Where weights come from. */
    @FunctionalInterface
    public interface Source {
        /** Fills {@code to} with the values of a parameter, fp32 and in its shape's order. */
        void read(Parameter parameter, MemorySegment to) throws IOException;
    }

    /** Takes the weights of {@code source}, one parameter after the other: a second copy of all of them is never held. */
    public void load(Source source) throws IOException {
        for (Parameter p : parameters.all()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment values = arena.allocate(4 * p.size(), 64);
                source.read(p, values);
                device().write(parameters.in(weights, p.name()), values);
            }
        }
        weightsChanged();
    }

    /** Takes the weights that {@code values} has by their names. */
    public void load(Map<String, MemorySegment> values) {
        for (Parameter p : parameters.all()) {
            MemorySegment value = values.get(p.name());
            if (value == null || value.byteSize() != 4 * p.size()) {
                throw new IllegalArgumentException("parameter " + p.name() + " " + p.shape() + ": "
                        + (value == null ? "no values given" : value.byteSize() + " bytes given"));
            }
            device().write(parameters.in(weights, p.name()), value);
        }
        weightsChanged();
    }

    /** Brings the products' copy of the weights up to date. */
    public void weightsChanged() {
        if (products != weights) {
            lanes.run(lane -> refreshProducts(lane));
        }
    }

    private void refreshProducts(int lane) {
        long from = lanes.bound(weights.size(), 64, lane);
        long to = lanes.bound(weights.size(), 64, lane + 1);
        if (products != weights && from < to) {
            int n = (int) (to - from);
            devices.get(lane)
                    .operations()
                    .convert(products.slice("products", from, n), weights.slice("weights", from, n));
        }
    }

    /** Gradients begin anew with the next {@link #forwardBackward}; until then they hold nothing of use. */
    public void zeroGradients() {
        lanes.run(lane -> gpts[lane].zeroGradients());
    }

    /**
     * Forward and backward pass of one micro-batch; gradients are added up lane by lane.
     *
     * @param inputs int32 (B, T)
     * @param targets int32 (B, T)
     * @return sum of the losses, nats
     */
    public double forwardBackward(
            MemorySegment inputs, MemorySegment targets, float gradientScale, DropoutPlan dropout) {
        return sumOverPasses((gpt, first) -> gpt.forwardBackward(
                sequences(inputs, first, gpt), sequences(targets, first, gpt), gradientScale, dropout.from(first)));
    }

    /** Sum of the losses of a micro-batch, nats. */
    public double loss(MemorySegment inputs, MemorySegment targets) {
        return sumOverPasses((gpt, first) -> gpt.loss(sequences(inputs, first, gpt), sequences(targets, first, gpt)));
    }

    /** What a lane's model does with the sequences of a pass, beginning with {@code first}; the sum of their losses. */
    @FunctionalInterface
    private interface Pass {
        double run(Gpt gpt, int first);
    }

    /** Runs all passes of all lanes; losses are added up in the order of sequences. */
    private double sumOverPasses(Pass pass) {
        lanes.run(lane -> {
            if (gpts[lane] == null) {
                gpts[lane] = plan(lane); // who only samples needs none
            }
            Gpt gpt = gpts[lane];
            double sum = 0;
            for (int first = firstSequence[lane]; first < firstSequence[lane + 1]; first += gpt.sequences()) {
                sum += pass.run(gpt, first);
            }
            losses[lane] = sum;
        });
        double sum = 0;
        for (double loss : losses) {
            sum += loss;
        }
        return sum;
    }

    private MemorySegment sequences(MemorySegment batch, int first, Gpt gpt) {
        long bytes = 4L * length;
        return batch.asSlice(first * bytes, gpt.sequences() * bytes);
    }

    /** A model of one sequence at a time over the same weights, for all its logits; on the first lane's device. */
    public Gpt single() {
        if (single == null) {
            single = gpt(device(), null, 1);
        }
        return single;
    }

    /** A {@link #decoder(int)} of the longest sequence. */
    public Decoder decoder() {
        return decoder(length);
    }

    /**
     * A model of one growing sequence over the same weights; on the first lane's device. In training its keys and values lie in
     * the first lane's activations, so what it holds is lost with the next pass.
     *
     * @param capacity tokens that it has room for at least. One that was made before serves where it has; else its memory stays taken
     *     beside the new one's until the replica is closed
     */
    public Decoder decoder(int capacity) {
        if (decoder == null || decoder.capacity() < capacity) {
            decoder = new Decoder(model, device(), cachedTrunk(0, 1, capacity));
            decoder.setWindow(window);
        }
        return decoder;
    }

    /** Blocks with caches on a lane's device; in training these lie in its activations. */
    private CachedTrunk cachedTrunk(int lane, int sequences, int capacity) {
        Device device = devices.get(lane);
        Tensor[] memory;
        if (gradients[lane] != null) {
            memory = gpts[lane].memoryBetweenPasses();
        } else {
            memory = new Tensor[model.layers()];
            Arrays.setAll(
                    memory,
                    layer -> model.hasAttention(layer)
                            ? device.allocate("cache" + layer, DType.F32, 2, sequences * capacity, model.width())
                            : null);
        }
        return new CachedTrunk(model, parameters, device, weights, products, sequences, capacity, memory);
    }

    /**
     * For each lane a model of contexts and continuations of them, over the same weights. In training their keys and values lie in
     * the lanes' activations, so what they hold is lost with the next pass.
     *
     * @param sequences contexts at once; fewer where a lane's activations in training have no room for as many
     * @param capacity tokens of the longest context with its continuation at least. Those that were made before serve where they have as many;
     *     else their memory stays taken beside the new ones' until the replica is closed
     */
    public List<Continuations> continuations(int sequences, int capacity) {
        if (continuations == null || continuations.getFirst().capacity() < capacity) {
            List<Continuations> made = new ArrayList<>();
            for (int lane = 0; lane < gpts.length; lane++) {
                int most = gradients[lane] == null
                        ? sequences
                        // 3·B·T·C of a pass, of which each takes 2·maxT·C
                        : Math.clamp(3L * gpts[lane].sequences() * length / (2L * capacity), 1, sequences);
                made.add(new Continuations(model, devices.get(lane), cachedTrunk(lane, most, capacity), most));
                made.getLast().setWindow(window);
            }
            continuations = List.copyOf(made);
        }
        return continuations;
    }

    /** What is done on each lane, at the same time. */
    public void eachLane(Crew.Task task) {
        lanes.run(task);
    }

    /** One line for people: the device and how the work is divided. */
    public String description() {
        String precision = factors() == DType.BF16 ? " in bf16" : "";
        return device().description() + precision + (gpts.length > 1 ? ", " + gpts.length + " lanes" : "");
    }

    /** Adds the lanes' gradients, in the order of lanes, into {@link #gradients}. */
    public void reduceGradients() {
        if (gpts.length > 1) {
            lanes.run(
                    lane -> devices.get(lane).operations().sum(gradients[0], gradients, bound(lane), bound(lane + 1)));
        }
    }

    /** Global norm of the gradients. */
    public double gradientNorm() {
        double[] squares = new double[gpts.length];
        lanes.run(lane -> squares[lane] =
                devices.get(lane).operations().sumOfSquares(gradients[0], bound(lane), bound(lane + 1)));
        double sum = 0;
        for (double s : squares) {
            sum += s;
        }
        return Math.sqrt(sum);
    }

    /** What a lane does. */
    @FunctionalInterface
    public interface Work {
        void run(int lane, Device device);
    }

    /** Has every lane do its part; what changes the weights calls {@link #weightsChanged} when all have. */
    public void onLanes(Work work) {
        lanes.run(lane -> work.run(lane, devices.get(lane)));
    }

    /** The device of a lane. */
    public Device device(int lane) {
        return devices.get(lane);
    }

    /** Dtype of the gradients that attention gives. */
    public DType gradientsOfAttention() {
        return Heads.changes(model) ? DType.F32 : factors();
    }

    /** Dtype of the factors of products. */
    public DType factors() {
        return products.dtype();
    }

    private long bound(int lane) {
        return lanes.bound(weights.size(), 64, lane);
    }

    /** Copies a parameter out of a flat tensor laid out as {@link #weights}. */
    public void read(Tensor flat, Parameter parameter, MemorySegment to) {
        device().read(parameters.in(flat, parameter.name()), to);
    }

    /** Bytes planned for weights, gradients and activations. */
    public long plannedBytes() {
        return devices.stream().mapToLong(Device::allocatedBytes).sum();
    }

    @Override
    public void close() {
        lanes.close();
        devices.forEach(Device::close);
    }
}
