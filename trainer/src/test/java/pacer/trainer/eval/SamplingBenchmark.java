package pacer.trainer.eval;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Initialization;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/**
 * Time of sampling with random weights, wall clock and CPU of the whole process, round by round; where other work shares the
 * machine, the best round is the one to compare.
 *
 * <pre>
 * mvn -q -pl trainer test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java FLAGS -cp trainer/target/test-classes:trainer/target/classes:$(cat trainer/target/classpath) \
 *     pacer.trainer.eval.SamplingBenchmark gpt2|quickstart FP32|BF16 THREADS PROMPT TOKENS ROUNDS
 * </pre>
 *
 * with {@link pacer.trainer.Trainer#JVM_FLAGS} for FLAGS.
 */
final class SamplingBenchmark {

    private SamplingBenchmark() {}

    public static void main(String[] args) throws Exception {
        ModelSpec model =
                switch (args[0]) {
                    case "gpt2" -> ModelSpec.gpt2(12, 12, 768, 1024, 50257, true, Activation.GELU_TANH, 1e-5, 0, true);
                    case "quickstart" -> ModelSpec.gpt2(4, 4, 128, 64, 78, false, Activation.GELU_ERF, 1e-5, 0, true);
                    default -> throw new IllegalArgumentException(args[0]);
                };
        Engine engine = new Engine(
                Engine.Kind.CPU,
                Integer.parseInt(args[2]),
                Precision.valueOf(args[1]),
                Gemms.Kind.valueOf(System.getProperty("products", "AUTO")),
                Path.of("target", "native-cache"));
        int tokens = Integer.parseInt(args[4]);
        int[] prompt = new Random(1)
                .ints(Integer.parseInt(args[3]), 0, model.vocabulary())
                .toArray();
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        try (Replica replica = engine.open(model, 1, model.sequenceLength(), false)) {
            Initialization.of(model, replica.parameters(), 1, replica.device(), replica.weights());
            replica.weightsChanged();
            Sampler sampler = new Sampler(replica.decoder());
            System.out.println(Arrays.toString(args) + " " + replica.description() + ", "
                    + (replica.plannedBytes() >> 20) + " MiB planned");
            for (int round = 0; round < Integer.parseInt(args[5]); round++) {
                long start = System.nanoTime();
                long cpu = system.getProcessCpuTime();
                long[] first = new long[1];
                int[] hash = new int[1];
                sampler.continuing(
                        prompt, tokens, new Sampler.Settings(0.8, 200, 1337), 0, model.vocabulary(), token -> {
                            if (first[0] == 0) {
                                first[0] = System.nanoTime();
                            }
                            hash[0] = 31 * hash[0] + token;
                        });
                long end = System.nanoTime();
                System.out.printf(
                        "%9.2f ms in all, first token %8.2f ms, then %8.3f ms a token; CPU %8.2f ms; text %08x%n",
                        (end - start) / 1e6,
                        (first[0] - start) / 1e6,
                        (end - first[0]) / 1e6 / Math.max(1, tokens - 1),
                        (system.getProcessCpuTime() - cpu) / 1e6,
                        hash[0]);
            }
        }
    }
}
