package pacer.workflows.cli;

import com.fasterxml.jackson.core.type.TypeReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import pacer.activities.process.JavaCommand;
import pacer.activities.run.RunJson;
import pacer.trainer.bench.BenchCase;
import pacer.trainer.bench.StepBenchmark;
import pacer.trainer.bench.StepResult;

/** Times a case in turns: a process of ours, a process of theirs. */
final class BenchStepRunner {
    private final BenchCase what;
    private final BenchFolder folder;
    private final Path file;
    private final List<String> ours;
    private final BenchPython python;
    private final boolean tuned;

    /**
     * Prepares.
     *
     * @param python PyTorch; null to time ours alone
     * @param tuned gives PyTorch its quickest AdamW rather than the one that it takes by default
     */
    BenchStepRunner(
            BenchCase what,
            BenchFolder folder,
            Path cache,
            Map<String, String> environment,
            BenchPython python,
            boolean tuned)
            throws IOException {
        this.what = what;
        this.folder = folder;
        this.python = python;
        this.tuned = tuned;
        this.file = Files.writeString(folder.file("case.json"), what.json());
        this.ours = JavaCommand.ofThisProcess(environment)
                .line(StepBenchmark.class.getName(), List.of(file.toString(), cache.toString()));
    }

    /** Runs {@code repeats} pairs. */
    BenchSteps run(int repeats, Consumer<String> say) throws IOException, InterruptedException {
        BenchSteps.Rival rival = null;
        List<String> theirs = null;
        if (python != null) {
            SortedMap<String, Double> probe = probe();
            String adamW = tuned ? quickest(probe) : "default";
            rival = new BenchSteps.Rival(tuned, said(probe));
            theirs = script("--adamw", adamW);
            say.accept("PyTorch " + python.torch() + ", AdamW " + adamW + " (an update: " + rival.adamW() + ")");
        }
        List<BenchSteps.Pair> pairs = new ArrayList<>();
        for (int i = 0; i < repeats; i++) {
            BenchSteps.Side here = side("the timed step", ours, Map.of());
            BenchSteps.Side there = theirs == null ? null : side("PyTorch's timed step", theirs, threads());
            pairs.add(new BenchSteps.Pair(here, there));
            BenchSteps soFar = new BenchSteps(what, rival, pairs);
            soFar.requireSame();
            say.accept(soFar.line(i, repeats));
        }
        return new BenchSteps(what, rival, pairs);
    }

    private SortedMap<String, Double> probe() throws IOException, InterruptedException {
        String name = "PyTorch's trial of AdamW";
        String answer =
                BenchChild.runWell(name, script("--probe"), threads(), log()).answer(name);
        SortedMap<String, Double> found =
                new TreeMap<>(RunJson.MAPPER.readValue(answer, new TypeReference<Map<String, Double>>() {}));
        if (found.isEmpty()) {
            throw new IOException(name + " found none that works");
        }
        return found;
    }

    private static String quickest(SortedMap<String, Double> probe) {
        return probe.entrySet().stream()
                .min(Map.Entry.comparingByValue())
                .orElseThrow()
                .getKey();
    }

    private static String said(SortedMap<String, Double> probe) {
        List<String> parts = new ArrayList<>();
        probe.forEach((kind, millis) -> parts.add("%s %.2f ms".formatted(kind, millis)));
        return String.join(", ", parts);
    }

    private BenchSteps.Side side(String name, List<String> command, Map<String, String> environment)
            throws IOException, InterruptedException {
        BenchChild child = BenchChild.runWell(name, command, environment, log());
        try {
            StepResult result = StepResult.parse(child.answer(name));
            double launched = child.launched().toEpochMilli();
            return new BenchSteps.Side(result, (result.firstStepEpochMillis() - launched) / 1e3);
        } catch (IllegalArgumentException e) {
            throw new IOException(name + ": " + e.getMessage(), e);
        }
    }

    private List<String> script(String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(python.python().toString());
        command.add(python.script(folder).toString());
        command.add(file.toString());
        command.addAll(List.of(arguments));
        return command;
    }

    /** Before PyTorch is imported, for the libraries in it that look once. */
    private Map<String, String> threads() {
        return Map.of("OMP_NUM_THREADS", Integer.toString(what.threads()));
    }

    private Path log() {
        return folder.file("log");
    }
}
