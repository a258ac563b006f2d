package pacer.trainer.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Replica;

/**
 * Times training steps in a process of its own, as a trainer's process is:
 *
 * <pre>StepBenchmark CASE.json CACHE</pre>
 *
 * <p>Standard output: one line, a {@link StepResult}. Standard input is held open by the parent; its end means that the parent is
 * gone, and the process ends at once.
 */
public final class StepBenchmark {
    private static final Path STATUS = Path.of("/proc/self/status");

    private StepBenchmark() {}

    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT); // files and messages are the same wherever they are written
        PrintStream answer = System.out;
        // a library that prints must not be taken for the result
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
        if (args.length != 2) {
            System.err.println("usage: StepBenchmark CASE.json CACHE");
            System.exit(2);
        }
        Thread.ofPlatform().daemon().name("parent-watch").start(StepBenchmark::endWithParent);
        System.exit(answer(Path.of(args[0]), Path.of(args[1]), answer));
    }

    private static int answer(Path file, Path cache, PrintStream answer) {
        try {
            BenchCase what = BenchCase.parse(Files.readString(file));
            answer.println(measure(what, cache).json());
            answer.flush();
            return 0;
        } catch (IOException | RuntimeException e) {
            e.printStackTrace();
            System.err.println(e.getMessage()); // the last words are what the parent shows
            return 1;
        }
    }

    /**
     * Takes the steps of {@code what} in this process.
     *
     * @param cache folder in which native libraries are unpacked once
     */
    static StepResult measure(BenchCase what, Path cache) throws IOException {
        Engine engine = new Engine(Engine.Kind.CPU, what.threads(), what.precision(), what.products(), cache);
        try (Replica replica = engine.open(what.model(), what.sequences(), what.length(), true)) {
            TimedStep step = new TimedStep(what, replica);
            List<Double> losses = new ArrayList<>();
            double firstStepEpochMillis = 0;
            Warmup warmup = new Warmup(what.warmupSeconds());
            while (warmup.steps() < BenchCase.COMPARED_STEPS || !warmup.isOver()) {
                step.prepare();
                long start = System.nanoTime();
                double loss = step.take();
                warmup.add((System.nanoTime() - start) / 1e6);
                if (warmup.steps() == 1) {
                    firstStepEpochMillis = System.currentTimeMillis();
                }
                if (warmup.steps() <= BenchCase.COMPARED_STEPS) {
                    losses.add(loss);
                }
            }
            double[] millis = new double[what.steps()];
            double cpuBefore = cpuMillis();
            for (int i = 0; i < millis.length; i++) {
                step.prepare();
                long start = System.nanoTime();
                double _ = step.take();
                millis[i] = (System.nanoTime() - start) / 1e6;
            }
            double cpu = (cpuMillis() - cpuBefore) / millis.length;
            Spread spread = Spread.of(millis);
            return new StepResult(
                    "pacer",
                    "Java " + Runtime.version(),
                    replica.description(),
                    List.of("products in " + what.precision().name().toLowerCase(Locale.ROOT)),
                    what.threads(),
                    replica.parameters().size(),
                    what.tokens(),
                    warmup.steps(),
                    warmup.isSteady(),
                    millis.length,
                    losses,
                    spread,
                    cpu,
                    what.tokens() / spread.median() * 1e3,
                    firstStepEpochMillis,
                    peakBytes());
        }
    }

    /** CPU time of this process so far, all threads: the JIT's compilations count, as PyTorch's waiting threads do on its side. */
    private static double cpuMillis() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime() / 1e6;
    }

    /** {@code VmHWM}; null on systems other than Linux. */
    private static Long peakBytes() throws IOException {
        if (!Files.exists(STATUS)) {
            return null;
        }
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith("VmHWM:")) {
                return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        return null;
    }

    private static void endWithParent() {
        try {
            while (System.in.read() >= 0) {
                // nothing is ever said on it
            }
        } catch (IOException e) {
            System.err.println("standard input: " + e.getMessage());
        }
        Runtime.getRuntime().halt(1);
    }
}
