package pacer.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.RandomModel;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Tensor;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/** Update rules at work on a small GPT: which parameter by which rule, at which rate, with what kept. */
class OptimizerTest {
    private static final double RATE = 1e-2;

    private static OptimizerSpec spec(OptimizerSpec.Type type, double embeddings, double head, double scalars) {
        return new OptimizerSpec(
                type,
                RATE,
                0.9,
                0.95,
                1e-8,
                0.1,
                embeddings,
                head,
                scalars,
                0.95,
                0.85,
                2,
                OptimizerSpec.Momentum.MEAN,
                OptimizerSpec.UpdateScale.TALLER,
                false);
    }

    private static OptimizerSpec spec(OptimizerSpec.Type type) {
        return spec(type, 0, 0, 0);
    }

    private static Replica replica(boolean tied, Engine.Kind kind, int threads) throws Exception {
        return RandomModel.open(tied, kind, Precision.FP32, threads, Gemms.Kind.AUTO, 5, true);
    }

    /** The weights after {@code steps} of gradients by a formula, at {@code rate}. */
    private static Map<String, float[]> trained(Replica replica, OptimizerSpec spec, double rate, int steps) {
        Optimizer optimizer = Optimizer.of(replica, spec);
        for (int step = 1; step <= steps; step++) {
            for (Parameter p : replica.parameters().all()) {
                float[] gradient = new float[(int) p.size()];
                for (int i = 0; i < gradient.length; i++) {
                    gradient[i] = (float) (Math.sin(p.offset() + 1.7 * i * step) + 0.1 * Math.cos(0.37 * i * i));
                }
                Tensor tensor = replica.parameters().in(replica.gradients(), p.name());
                replica.device().write(tensor, Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, gradient));
            }
            optimizer.update(rate, 0.5, step);
        }
        return weights(replica);
    }

    private static Map<String, float[]> weights(Replica replica) {
        Map<String, float[]> weights = new HashMap<>();
        for (Parameter p : replica.parameters().all()) {
            weights.put(p.name(), floats(replica, replica.parameters().in(replica.weights(), p.name())));
        }
        return weights;
    }

    private static float[] floats(Replica replica, Tensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(4 * tensor.size(), 64);
            replica.device().read(tensor, values);
            return values.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private static double distance(Map<String, float[]> a, Map<String, float[]> b) {
        return a.keySet().stream()
                .mapToDouble(name -> norm(a.get(name), b.get(name)) / norm(b.get(name), null))
                .max()
                .orElseThrow();
    }

    /** ‖a - b‖; ‖a‖ without b. */
    private static double norm(float[] a, float[] b) {
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
            double d = b == null ? a[i] : (double) a[i] - b[i];
            squares += d * d;
        }
        return Math.sqrt(squares);
    }

    @ParameterizedTest
    @EnumSource
    void lanesAndDevicesAgree(OptimizerSpec.Type type) throws Exception {
        for (boolean tied : new boolean[] {true, false}) {
            try (Replica reference = replica(tied, Engine.Kind.REFERENCE, 1)) {
                Map<String, float[]> before = weights(reference);
                Map<String, float[]> expected = trained(reference, spec(type), RATE, 3);
                assertThat(distance(expected, before)).isGreaterThan(1e-3);
                for (int threads = 1; threads <= 4; threads++) {
                    try (Replica replica = replica(tied, Engine.Kind.CPU, threads)) {
                        Map<String, float[]> ours = trained(replica, spec(type), RATE, 3);
                        // AdamW and its like turn a gradient of nearly nothing into a whole step, either way
                        assertThat(distance(ours, expected))
                                .as("%d threads", threads)
                                .isLessThan(5e-3);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"ADAMW, 2.0, 2.0", "STRIPED_ADAMW, 1.0, 1.1", "ADAFACTOR, 0.0, 0.1", "MUON, 1.0, 1.3"})
    void stateIsAsLargeAsTheRuleSays(OptimizerSpec.Type type, double least, double most) throws Exception {
        try (Replica replica = replica(false, Engine.Kind.CPU, 2)) {
            double state = Optimizer.of(replica, spec(type)).state().stream()
                    .mapToDouble(s -> s.tensor().size())
                    .sum();
            assertThat(state / replica.parameters().size()).isBetween(least, most);
        }
    }

    @Test
    void stateHasPyTorchsNames() throws Exception {
        try (Replica replica = replica(false, Engine.Kind.CPU, 2)) {
            Map<OptimizerSpec.Type, String> names = new HashMap<>();
            for (OptimizerSpec.Type type : OptimizerSpec.Type.values()) {
                names.put(
                        type,
                        Optimizer.of(replica, spec(type)).state().stream()
                                .map(Optimizer.State::name)
                                .filter(name -> name.endsWith("h.1.attn.c_attn.weight")
                                        || name.endsWith("transformer.ln_f.weight"))
                                .map(name -> name.substring(0, name.indexOf('.')))
                                .sorted()
                                .collect(Collectors.joining(" ")));
            }
            assertThat(names)
                    .containsEntry(OptimizerSpec.Type.ADAMW, "exp_avg exp_avg exp_avg_sq exp_avg_sq")
                    .containsEntry(
                            OptimizerSpec.Type.STRIPED_ADAMW,
                            "exp_avg exp_avg exp_avg_sq exp_avg_sq_col exp_avg_sq_row")
                    .containsEntry(OptimizerSpec.Type.ADAFACTOR, "exp_avg_sq exp_avg_sq_col exp_avg_sq_row")
                    .containsEntry(OptimizerSpec.Type.MUON, "exp_avg exp_avg_sq momentum_buffer");
        }
    }

    /** Beside Muon's matrices the rest is AdamW's, at the rates of its groups. */
    @Test
    void groupsHaveTheirRates() throws Exception {
        Map<String, Double> rates = Map.of(
                "transformer.wte.weight",
                0.3,
                "transformer.wpe.weight",
                0.3,
                "lm_head.weight",
                4e-3,
                "transformer.ln_f.weight",
                0.02);
        Map<String, float[]> muon;
        try (Replica replica = replica(false, Engine.Kind.CPU, 3)) {
            muon = trained(replica, spec(OptimizerSpec.Type.MUON, 0.3, 4e-3, 0.02), RATE, 1);
        }
        for (Map.Entry<String, Double> rate : rates.entrySet()) {
            try (Replica replica = replica(false, Engine.Kind.CPU, 3)) {
                OptimizerSpec alone = OptimizerSpec.adamW(rate.getValue(), 0.9, 0.95, 1e-8, 0.1);
                float[] expected = trained(replica, alone, rate.getValue(), 1).get(rate.getKey());
                assertThat(norm(muon.get(rate.getKey()), expected) / norm(expected, null))
                        .as(rate.getKey())
                        .isLessThan(1e-6);
            }
        }
    }

    private static OptimizerSpec muon(OptimizerSpec.Momentum form, OptimizerSpec.UpdateScale scale) {
        return new OptimizerSpec(
                OptimizerSpec.Type.MUON, RATE, 0.9, 0.95, 1e-8, 0, 0, 0, 0, 0.9, 0.9, 0, form, scale, false);
    }

    /** As one, tall matrix their update has √c of all singular values together; as three, √c each. */
    @ParameterizedTest
    @CsvSource({"false, 3", "true, 1"})
    void queriesKeysAndValuesAreThreeMatricesOrOne(boolean joint, double matrices) throws Exception {
        OptimizerSpec spec = new OptimizerSpec(
                OptimizerSpec.Type.MUON,
                RATE,
                0.9,
                0.95,
                1e-8,
                0,
                0,
                0,
                0,
                0.9,
                0.9,
                0,
                OptimizerSpec.Momentum.SUM,
                OptimizerSpec.UpdateScale.ONE,
                joint);
        String name = "transformer.h.1.attn.c_attn.weight";
        try (Replica replica = replica(false, Engine.Kind.CPU, 2)) {
            float[] before = weights(replica).get(name);
            double norm = norm(trained(replica, spec, RATE, 1).get(name), before);
            assertThat(norm / (RATE * Math.sqrt(matrices * 48))).isCloseTo(0.95, within(0.25));
        }
    }

    /** Newton-Schulz looks at directions alone. */
    @Test
    void sumsAndMeansOfGradientsAreTheSameWhereMomentumIsConstant() throws Exception {
        String name = "transformer.h.1.attn.c_proj.weight";
        try (Replica sums = replica(false, Engine.Kind.CPU, 2);
                Replica means = replica(false, Engine.Kind.CPU, 2)) {
            float[] before = weights(means).get(name);
            float[] expected = trained(
                            means, muon(OptimizerSpec.Momentum.MEAN, OptimizerSpec.UpdateScale.TALLER), RATE, 4)
                    .get(name);
            float[] found = trained(sums, muon(OptimizerSpec.Momentum.SUM, OptimizerSpec.UpdateScale.TALLER), RATE, 4)
                    .get(name);
            assertThat(norm(found, expected) / norm(expected, before)).isLessThan(1e-4);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "transformer.h.1.attn.c_proj.weight, LONGEST, 6.928203230275509", // √48 of 48 x 48
        "transformer.h.1.mlp.c_fc.weight,    LONGEST, 6.928203230275509", // √192 for √(192 / 48)
        "transformer.h.1.mlp.c_proj.weight,  LONGEST, 13.856406460551018", // √192 for 1
        "transformer.h.1.mlp.c_fc.weight,    ONE,     0.5",
        "transformer.h.1.attn.c_proj.weight, ONE,     1"
    })
    void updatesAreLengthenedByTheShapeOfTheMatrix(String name, OptimizerSpec.UpdateScale scale, double times)
            throws Exception {
        try (Replica taller = replica(false, Engine.Kind.CPU, 2);
                Replica other = replica(false, Engine.Kind.CPU, 2)) {
            float[] before = weights(taller).get(name);
            double expected = norm(
                    trained(taller, muon(OptimizerSpec.Momentum.MEAN, OptimizerSpec.UpdateScale.TALLER), RATE, 1)
                            .get(name),
                    before);
            double found = norm(
                    trained(other, muon(OptimizerSpec.Momentum.MEAN, scale), RATE, 1)
                            .get(name),
                    before);
            assertThat(found / expected).isCloseTo(times, within(1e-3 * times));
        }
    }

    /** Singular values near 1: the norm of an update is near √n, and those of queries, keys and values are three. */
    @Test
    void muonsUpdatesAreOrthogonal() throws Exception {
        try (Replica replica = replica(false, Engine.Kind.CPU, 2)) {
            OptimizerSpec rule = new OptimizerSpec(
                    OptimizerSpec.Type.MUON,
                    RATE,
                    0.9,
                    0.95,
                    1e-8,
                    0,
                    0,
                    0,
                    0,
                    0.95,
                    0.85,
                    300,
                    OptimizerSpec.Momentum.MEAN,
                    OptimizerSpec.UpdateScale.TALLER,
                    false);
            Map<String, float[]> before = weights(replica);
            Map<String, float[]> after = trained(replica, rule, RATE, 1);
            int c = 48;
            for (String[] matrix : new String[][] {
                {"attn.c_proj", "1", "1"}, {"mlp.c_fc", "1", "2"}, {"mlp.c_proj", "1", "1"}, {"attn.c_attn", "3", "1"}
            }) {
                String name = "transformer.h.1." + matrix[0] + ".weight";
                int parts = Integer.parseInt(matrix[1]);
                double taller = Double.parseDouble(matrix[2]);
                int elements = before.get(name).length / parts;
                for (int part = 0; part < parts; part++) {
                    double norm = norm(
                            Arrays.copyOfRange(after.get(name), part * elements, (part + 1) * elements),
                            Arrays.copyOfRange(before.get(name), part * elements, (part + 1) * elements));
                    assertThat(norm / (RATE * taller * Math.sqrt(c))).as(name).isCloseTo(0.95, within(0.25));
                }
            }
        }
    }
}
