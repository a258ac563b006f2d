package pacer.trainer.text;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import pacer.trainer.spec.DatasetSpec;

/**
 * GPT-2 tokens of a megabyte of English, in MB/s: pacer, JTokkit by itself, and tiktoken, in turns within one run;
 * then pacer with more threads, and a whole tokenization from file to shards. Each number is the median over the
 * rounds, by wall clock and by the CPU time of the encoding thread; where other work shares the machine, CPU time is
 * the one to compare.
 *
 * <pre>
 * pip install tiktoken
 * mvn -q -pl trainer test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java -cp trainer/target/test-classes:trainer/target/classes:$(cat trainer/target/classpath) \
 *     pacer.trainer.text.TokenizationBenchmark python3
 * </pre>
 */
final class TokenizationBenchmark {
    private static final int WARMUP = 15;
    private static final int ROUNDS = 41;

    private TokenizationBenchmark() {}

    /** Tokens, and seconds by wall clock and CPU. */
    private record Round(long tokens, double wall, double cpu) {}

    public static void main(String[] args) throws Exception {
        Path folder = Files.createTempDirectory("tokenization");
        Path text = copy("/dickens.txt", folder.resolve("dickens.txt"));
        Path ranks = copy("/com/knuddels/jtokkit/r50k_base.tiktoken", folder.resolve("ranks"));
        byte[] bytes = Files.readAllBytes(text);
        String string = new String(bytes, UTF_8);
        Gpt2Encoder pacer = Gpt2Tokenizer.instance().encoder();
        Encoding jtokkit = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
        String script = Files.readString(copy("/pacer/trainer/text/tiktoken_rounds.py", folder.resolve("rounds.py")));
        Process python = new ProcessBuilder(
                        args.length > 0 ? args[0] : "python3", "-c", script, text.toString(), ranks.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<Round> ours = new ArrayList<>();
        List<Round> theirs = new ArrayList<>();
        List<Round> alone = new ArrayList<>();
        try (BufferedReader answers = python.inputReader();
                OutputStream asks = python.getOutputStream()) {
            System.out.printf("tiktoken %s, Java %s%n", answers.readLine(), Runtime.version());
            for (int round = -WARMUP; round < ROUNDS; round++) {
                keep(ours, round, time(() -> encode(pacer, bytes)));
                keep(alone, round, time(() ->
                        (long) jtokkit.encodeOrdinary(string).size()));
                keep(theirs, round, ask(asks, answers));
            }
        } finally {
            python.destroyForcibly();
        }
        System.out.printf(
                "%n| one thread, %,d bytes | tokens | MB/s wall | MB/s CPU | times tiktoken (CPU) "
                        + "|%n|---|--:|--:|--:|--:|%n",
                bytes.length);
        report("pacer", bytes.length, ours, theirs);
        report("JTokkit 1.1.0", bytes.length, alone, theirs);
        report("tiktoken", bytes.length, theirs, theirs);

        System.out.printf("%n| pacer, threads | MB/s wall, all | MB/s CPU, each |%n|--:|--:|--:|%n");
        for (int threads = 1; threads <= Runtime.getRuntime().availableProcessors(); threads *= 2) {
            scale(threads, bytes);
        }
        System.out.printf("%n| file to shards, threads | MB | s | MB/s wall |%n|--:|--:|--:|--:|%n");
        Path large = folder.resolve("large.txt");
        try (OutputStream out = Files.newOutputStream(large)) {
            for (int i = 0; i < 80; i++) {
                out.write(bytes);
            }
        }
        for (int threads = 1; threads <= Runtime.getRuntime().availableProcessors(); threads *= 2) {
            wholeFile(large, folder.resolve("shards" + threads), threads);
        }
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    private static void scale(int threads, byte[] bytes) throws Exception {
        List<Double> wall = new ArrayList<>();
        List<Round> each = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Callable<Round>> jobs = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                Gpt2Encoder encoder = Gpt2Tokenizer.instance().encoder();
                jobs.add(() -> {
                    Round sum = new Round(0, 0, 0);
                    for (int i = 0; i < 8; i++) {
                        Round one = time(() -> encode(encoder, bytes));
                        sum = new Round(sum.tokens + one.tokens, sum.wall + one.wall, sum.cpu + one.cpu);
                    }
                    return sum;
                });
            }
            for (int round = -1; round < 9; round++) {
                long start = System.nanoTime();
                for (Future<Round> job : executor.invokeAll(jobs)) {
                    keep(each, round, job.get());
                }
                if (round >= 0) {
                    wall.add((System.nanoTime() - start) / 1e9);
                }
            }
        }
        double megabytes = 8 * bytes.length / 1e6;
        System.out.printf("| %d | %.1f | %.1f |%n", threads, threads * megabytes / median(wall), megabytes / cpu(each));
    }

    private static void wholeFile(Path file, Path folder, int threads) throws IOException, InterruptedException {
        long start = System.nanoTime();
        new Tokenization(file, DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.GPT2, 0.1, folder, 10_000_000, threads)
                .run((phase, done, total) -> {});
        double seconds = (System.nanoTime() - start) / 1e9;
        double megabytes = Files.size(file) / 1e6;
        System.out.printf("| %d | %.1f | %.2f | %.1f |%n", threads, megabytes, seconds, megabytes / seconds);
    }

    private static long encode(Gpt2Encoder encoder, byte[] bytes) {
        TokenBuffer tokens = new TokenBuffer(bytes.length / 3);
        encoder.encode(bytes, 0, bytes.length, tokens);
        return tokens.size();
    }

    private static Round time(Callable<Long> work) throws Exception {
        var threads = ManagementFactory.getThreadMXBean();
        long wall = System.nanoTime();
        long cpu = threads.getCurrentThreadCpuTime();
        long tokens = work.call();
        cpu = threads.getCurrentThreadCpuTime() - cpu;
        return new Round(tokens, (System.nanoTime() - wall) / 1e9, cpu / 1e9);
    }

    private static Round ask(OutputStream asks, BufferedReader answers) throws IOException {
        asks.write('\n');
        asks.flush();
        String[] answer = answers.readLine().split(" ", 3);
        return new Round(Long.parseLong(answer[0]), Double.parseDouble(answer[1]), Double.parseDouble(answer[2]));
    }

    private static void keep(List<Round> rounds, int round, Round result) {
        if (round >= 0) {
            rounds.add(result);
        }
    }

    private static void report(String name, long bytes, List<Round> rounds, List<Round> reference) {
        double wall = median(rounds.stream().map(Round::wall).toList());
        System.out.printf(
                "| %s | %,d | %.1f | %.1f | %.2f |%n",
                name,
                rounds.getFirst().tokens,
                bytes / 1e6 / wall,
                bytes / 1e6 / cpu(rounds),
                cpu(reference) / cpu(rounds));
    }

    private static double cpu(List<Round> rounds) {
        return median(rounds.stream().map(Round::cpu).toList());
    }

    private static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return Arrays.stream(sorted, (sorted.length - 1) / 2, sorted.length / 2 + 1)
                .average()
                .orElseThrow();
    }

    private static Path copy(String resource, Path to) throws IOException {
        try (InputStream in = TokenizationBenchmark.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IOException("no " + resource + " on the class path");
            }
            Files.copy(in, to);
            return to;
        }
    }
}
