package pacer.workflows.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;
import pacer.trainer.bench.Spread;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/**
 * How long a user waits: from the launch of {@code pacer run} to the first optimizer step.
 *
 * @param first with an empty cache: the text is fetched and tokenized, native libraries are unpacked
 * @param again with what the first left in the cache
 */
record BenchLaunches(String preset, Launch first, List<Launch> again) implements BenchResult {
    BenchLaunches {
        again = List.copyOf(again);
    }

    /**
     * One launch; seconds since the process was started, by the times that the events carry.
     *
     * @param secondsToRun until the run existed: launcher, command line, Temporal service
     * @param secondsToStart until the model was planned and training began: dataset, staging, the trainer's process
     * @param secondsToValidation until the loss before training was measured; null where the preset does not
     * @param secondsToFirstStep until the first step was done
     * @param secondsInAll until the process ended, of a run of few steps
     */
    record Launch(
            double secondsToRun,
            double secondsToStart,
            Double secondsToValidation,
            double secondsToFirstStep,
            double secondsInAll) {}

    /** Launches the preset once with an empty cache, then {@code repeats} times. */
    static BenchLaunches measure(
            String preset,
            List<String> layers,
            BenchProgram program,
            BenchFolder folder,
            int repeats,
            Consumer<String> say)
            throws IOException, InterruptedException {
        List<String> few = new ArrayList<>(layers);
        few.addAll(List.of("--set", "train.steps=3", "--set", "sample.count=0"));
        Path cache = folder.folder("cache");
        Launch first = null;
        List<Launch> again = new ArrayList<>();
        for (int i = 0; i <= repeats; i++) {
            BenchProgram.Done done =
                    program.run(few, folder.folder("runs"), cache, folder.file("log"), BenchChild.Watch.NOTHING);
            Launch launch = launch(done);
            say.accept(String.format(
                    Locale.ROOT,
                    "%s  first step after %.2f s",
                    i == 0 ? "empty cache" : i + "/" + repeats,
                    launch.secondsToFirstStep()));
            if (i == 0) {
                first = launch;
            } else {
                again.add(launch);
            }
        }
        return new BenchLaunches(preset, first, again);
    }

    static Launch launch(BenchProgram.Done done) throws IOException {
        Instant started = null;
        Instant validated = null;
        Instant stepped = null;
        try (BufferedReader lines = Files.newBufferedReader(done.folder().events())) {
            String line = lines.readLine();
            while (line != null && stepped == null) {
                switch (EventLog.parse(line)) {
                    case TrainingEvent.Started s -> started = s.time();
                    case TrainingEvent.Validated v -> validated = v.time();
                    case TrainingEvent.Step s -> stepped = s.time();
                    default -> {
                        // notices may come before the first step
                    }
                }
                line = lines.readLine();
            }
        }
        if (started == null || stepped == null) {
            throw new IOException(done.folder().events() + ": no first step in it");
        }
        Instant launched = done.child().launched();
        return new Launch(
                seconds(launched, done.record().created()),
                seconds(launched, started),
                validated == null ? null : seconds(launched, validated),
                seconds(launched, stepped),
                done.child().seconds());
    }

    private static double seconds(Instant from, Instant to) {
        return Duration.between(from, to).toNanos() / 1e9;
    }

    @Override
    public String name() {
        return preset + "-launch";
    }

    @Override
    public String headline() {
        double[] all = again.stream().mapToDouble(Launch::secondsToFirstStep).toArray();
        return String.format(
                Locale.ROOT,
                "%s: first step %.2f s after launch (%.2f to %.2f), %.2f s with an empty cache",
                preset,
                Spread.median(all),
                DoubleStream.of(all).min().orElseThrow(),
                DoubleStream.of(all).max().orElseThrow(),
                first.secondsToFirstStep());
    }

    @Override
    public List<BenchTable> tables() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(row("empty cache", first));
        for (int i = 0; i < again.size(); i++) {
            rows.add(row(Integer.toString(i + 1), again.get(i)));
        }
        return List.of(new BenchTable(
                List.of("launch", "run exists, s", "training begins", "validated", "first step done", "ended, 3 steps"),
                rows));
    }

    private static List<String> row(String name, Launch launch) {
        return List.of(
                name,
                two(launch.secondsToRun()),
                two(launch.secondsToStart()),
                launch.secondsToValidation() == null ? "" : two(launch.secondsToValidation()),
                two(launch.secondsToFirstStep()),
                two(launch.secondsInAll()));
    }

    private static String two(double number) {
        return String.format(Locale.ROOT, "%.2f", number);
    }

    @Override
    public List<String> remarks() {
        return List.of(
                "seconds since the process of pacer run was started, by the times that the run's record and events carry",
                "run exists: launcher, command line, in-process Temporal service; training begins: dataset, staging, the"
                        + " trainer's process, its model planned; validated: the loss before training, where the preset measures it");
    }
}
