package pacer.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.Tensor;
import pacer.trainer.ops.cpu.CpuDevice;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.ops.reference.ReferenceDevice;
import pacer.trainer.spec.AttentionSpec;
import pacer.trainer.spec.AttentionSpec.Positions;
import pacer.trainer.spec.AttentionSpec.Values;
import pacer.trainer.spec.AttentionSpec.WindowKind;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.ModelSpec.Initial;
import pacer.trainer.spec.ModelSpec.Norm;
import pacer.trainer.spec.StreamSpec;

/** Models that differ from GPT-2 in one way and another: their gradients, their decoder, their lanes. */
class SwitchesTest {
    static final int LENGTH = 24;
    static final int VOCABULARY = 31;
    private static final int DOCUMENT = 3;

    /** Each switch is in one of them at least. */
    enum Variant {
        SPEEDRUN,
        VALUES_OF_THE_FIRST_LAYER,
        TABLES_FOR_EACH_LAYER,
        MIRRORED_TABLES,
        SCALED_VALUES;

        ModelSpec spec() {
            return switch (this) {
                case SPEEDRUN ->
                    model(
                            Shape.plain(6, Activation.RELU_SQUARED, Norm.RMS_NORM, 15),
                            attention(Positions.ROTARY_HALF, Values.TABLES_ENDS, 1, 3, DOCUMENT, WindowKind.BLOCKS),
                            new StreamSpec(true, true));
                case VALUES_OF_THE_FIRST_LAYER ->
                    model(
                            new Shape(3, Activation.GELU_ERF, true, false, Norm.LAYER_NORM, 3),
                            attention(Positions.ROTARY, Values.FIRST_LAYER, 1, 1, -1, WindowKind.TOKENS),
                            new StreamSpec(true, false));
                case TABLES_FOR_EACH_LAYER ->
                    model(
                            new Shape(2, Activation.GELU_TANH, true, true, Norm.LAYER_NORM, 0),
                            attention(Positions.LEARNED, Values.TABLES_EACH, 1, -1, DOCUMENT, WindowKind.BOTH),
                            new StreamSpec(false, true));
                case MIRRORED_TABLES ->
                    model(
                            new Shape(4, Activation.RELU_SQUARED, false, true, Norm.RMS_NORM, 30),
                            attention(Positions.ROTARY, Values.TABLES_MIRRORED, 1, -1, -1, WindowKind.BLOCKS),
                            new StreamSpec(false, true));
                case SCALED_VALUES ->
                    model(
                            Shape.plain(2, Activation.GELU_ERF, Norm.RMS_NORM, 0),
                            attention(Positions.ROTARY, Values.PLAIN, 0.3, -1, -1, WindowKind.TOKENS),
                            new StreamSpec(false, false));
            };
        }
    }

    private record Shape(int layers, Activation activation, boolean bias, boolean tied, Norm norm, double softcap) {
        static Shape plain(int layers, Activation activation, Norm norm, double softcap) {
            return new Shape(layers, activation, false, false, norm, softcap);
        }
    }

    private static ModelSpec model(Shape shape, AttentionSpec attention, StreamSpec stream) {
        return new ModelSpec(
                shape.layers,
                2,
                24,
                LENGTH,
                VOCABULARY,
                shape.bias,
                shape.activation,
                1e-5,
                0,
                shape.tied,
                shape.norm,
                shape.norm == Norm.RMS_NORM,
                shape.softcap,
                Initial.TORCH,
                attention,
                stream);
    }

    /** Windows of 8 tokens in blocks of 4. */
    private static AttentionSpec attention(
            Positions positions, Values values, double valueScale, int leftOut, int documentToken, WindowKind kind) {
        boolean qkNorm = values != Values.TABLES_EACH;
        return new AttentionSpec(positions, 100, qkNorm, values, valueScale, leftOut, documentToken, 8, 0, 1, kind, 4);
    }

    static Replica open(Variant variant, Device device, int sequences, boolean training) {
        return open(variant, MemoryPolicy.STANDARD, device, DType.F32, sequences, training);
    }

    static Replica open(
            Variant variant, MemoryPolicy policy, Device device, DType products, int sequences, boolean training) {
        Replica replica =
                new Replica(variant.spec(), policy, List.of(device), products, sequences, LENGTH, LENGTH, training);
        Initialization.of(variant.spec(), replica.parameters(), 1, device, replica.weights());
        Random random = new Random(2); // gains and mixes as well, lest equal ones hide what is mistaken for another
        for (Parameter p : replica.parameters().all()) {
            if (p.role() == Parameter.Role.SCALAR) {
                replica.device().write(replica.parameters().in(replica.weights(), p.name()), floats(p.size(), random));
            }
        }
        replica.weightsChanged();
        return replica;
    }

    private static MemorySegment floats(long count, Random random) {
        MemorySegment values = Arena.ofAuto().allocate(4 * count, 64);
        for (long i = 0; i < count; i++) {
            values.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (0.6 + 0.4 * random.nextGaussian()));
        }
        return values;
    }

    static MemorySegment tokens(int sequences, long seed) {
        MemorySegment tokens = Arena.ofAuto().allocate(4L * sequences * LENGTH, 64);
        Random random = new Random(seed);
        for (long i = 0; i < (long) sequences * LENGTH; i++) {
            tokens.setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt(8) == 0 ? DOCUMENT : random.nextInt(VOCABULARY));
        }
        return tokens;
    }

    static float[] read(Replica replica, Tensor tensor) {
        MemorySegment values = Arena.ofAuto().allocate(4 * tensor.size(), 64);
        replica.device().read(tensor, values);
        return values.toArray(ValueLayout.JAVA_FLOAT);
    }

    /** Parameter by parameter: what the loss gains along a random direction is the gradient's product with it. */
    @ParameterizedTest
    @EnumSource
    void gradientsAreThoseOfTheLoss(Variant variant) {
        try (Replica replica = open(variant, new ReferenceDevice(), 2, true)) {
            MemorySegment inputs = tokens(2, 1);
            MemorySegment targets = tokens(2, 2);
            replica.zeroGradients();
            double _ = replica.forwardBackward(inputs, targets, 1, DropoutPlan.NONE);
            replica.reduceGradients();
            float[] gradients = read(replica, replica.gradients());
            float[] weights = read(replica, replica.weights());
            Random random = new Random(4);
            for (Parameter p : replica.parameters().all()) {
                double[] direction = random.doubles(p.size(), -1, 1).toArray();
                double expected = 0;
                for (int i = 0; i < direction.length; i++) {
                    expected += gradients[(int) p.offset() + i] * direction[i];
                }
                double step = 1e-2 / Math.sqrt(direction.length);
                double gained = (lossAt(replica, p, weights, direction, step, inputs, targets)
                                - lossAt(replica, p, weights, direction, -step, inputs, targets))
                        / (2 * step);
                assertThat(gained).as(p.name()).isCloseTo(expected, within(2e-2 * Math.max(1, Math.abs(expected))));
            }
        }
    }

    private static double lossAt(
            Replica replica,
            Parameter p,
            float[] weights,
            double[] direction,
            double step,
            MemorySegment inputs,
            MemorySegment targets) {
        float[] moved = weights.clone();
        for (int i = 0; i < direction.length; i++) {
            moved[(int) p.offset() + i] += (float) (step * direction[i]);
        }
        replica.device().write(replica.weights(), MemorySegment.ofArray(moved));
        return replica.loss(inputs, targets);
    }

    @ParameterizedTest
    @EnumSource
    void theDecoderSaysWhatAPassOverAllPositionsSays(Variant variant) throws Exception {
        CpuDevice device = CpuDevice.open(1, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
        try (Replica replica = open(variant, device, 1, false);
                Arena arena = Arena.ofConfined()) {
            MemorySegment text = tokens(1, 5);
            int[] all = text.toArray(ValueLayout.JAVA_INT);
            MemorySegment expected = arena.allocate(4L * VOCABULARY, 64);
            MemorySegment found = arena.allocate(4L * VOCABULARY, 64);
            Decoder decoder = replica.decoder();
            int at = 0;
            for (int count : new int[] {7, 1, 5, 1, 1, 9}) {
                decoder.append(all, at, at + count);
                at += count;
                decoder.readLogits(found);
                replica.single().logits(text, at - 1, expected);
                assertThat(RandomModel.difference(
                                found.toArray(ValueLayout.JAVA_FLOAT), expected.toArray(ValueLayout.JAVA_FLOAT)))
                        .as("after %d tokens", at)
                        .isLessThan(1e-5);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aWindowHidesWhatIsBeforeIt(Variant variant) {
        try (Replica replica = open(variant, new ReferenceDevice(), 1, false)) {
            MemorySegment text = Arena.ofAuto().allocate(4L * LENGTH, 64); // one document
            MemorySegment other = Arena.ofAuto().allocate(4L * LENGTH, 64);
            other.setAtIndex(ValueLayout.JAVA_INT, 0, 1);
            replica.setWindow(LENGTH);
            assertThat(logitsOfLast(replica, text)).isNotEqualTo(logitsOfLast(replica, other));
            replica.setWindow(1); // as layers see through one another's windows, only this hides all others
            assertThat(logitsOfLast(replica, text)).isEqualTo(logitsOfLast(replica, other));
            replica.setWindow(0);
            assertThat(logitsOfLast(replica, text)).isNotEqualTo(logitsOfLast(replica, other));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPEEDRUN", "TABLES_FOR_EACH_LAYER"})
    void noPositionSeesAnotherDocument(Variant variant) {
        try (Replica replica = open(variant, new ReferenceDevice(), 1, false)) {
            replica.setWindow(0);
            MemorySegment text = Arena.ofAuto().allocate(4L * LENGTH, 64);
            MemorySegment other = Arena.ofAuto().allocate(4L * LENGTH, 64);
            other.setAtIndex(ValueLayout.JAVA_INT, 4, 1);
            assertThat(logitsOfLast(replica, text)).isNotEqualTo(logitsOfLast(replica, other));
            text.setAtIndex(ValueLayout.JAVA_INT, 5, DOCUMENT);
            other.setAtIndex(ValueLayout.JAVA_INT, 5, DOCUMENT);
            assertThat(logitsOfLast(replica, text)).isEqualTo(logitsOfLast(replica, other));
        }
    }

    private static float[] logitsOfLast(Replica replica, MemorySegment text) {
        MemorySegment row = Arena.ofAuto().allocate(4L * VOCABULARY, 64);
        replica.single().logits(text, LENGTH - 1, row);
        return row.toArray(ValueLayout.JAVA_FLOAT);
    }

    @ParameterizedTest
    @EnumSource
    void devicesAgreeOnAStepsGradients(Variant variant) throws Exception {
        CpuDevice device = CpuDevice.open(2, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
        try (Replica replica = open(variant, device, 2, true);
                Replica specification = open(variant, new ReferenceDevice(), 2, true)) {
            double own = step(replica);
            assertThat(own).isCloseTo(step(specification), within(1e-4 * own));
            assertThat(RandomModel.difference(
                            read(replica, replica.gradients()), read(specification, specification.gradients())))
                    .isLessThan(1e-5);
        }
    }

    static double step(Replica replica) {
        replica.zeroGradients();
        double loss = replica.forwardBackward(tokens(2, 1), tokens(2, 2), 1f / LENGTH, DropoutPlan.NONE)
                + replica.forwardBackward(tokens(2, 3), tokens(2, 4), 1f / LENGTH, DropoutPlan.NONE);
        replica.reduceGradients();
        return loss;
    }

    @ParameterizedTest
    @EnumSource
    void parametersAreCountedAsTheyAreLaidOut(Variant variant) {
        assertThat(variant.spec().parameters())
                .isEqualTo(Parameters.of(variant.spec()).size());
    }
}
