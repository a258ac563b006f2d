package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Stream;
import pacer.activities.run.Home;
import pacer.activities.run.Machine;
import pacer.trainer.bench.BenchCase;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.RunSpec;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "bench",
        description = {
            "Time training steps of a preset's model, here and in PyTorch, in turns.",
            "Also known: gpt2-124m-4x64, GPT-2 124M at 4 sequences of 64 tokens.",
            "Leave the machine alone meanwhile; ratios of one run are worth more than times.%n"
        })
final class BenchCommand implements Callable<Integer> {
    /** Whom to compare with. */
    enum Rival {
        PYTORCH
    }

    private static final int REPEATS = 5;
    private static final int WHOLE_REPEATS = 3;

    @Spec
    private CommandSpec command;

    @Mixin
    private SpecOptions spec;

    @Option(
            names = "--against",
            paramLabel = "WHOM",
            description = "pytorch: the same step in PyTorch, in turns with ours.")
    private Rival against;

    @Option(
            names = "--tuned",
            description = "Give PyTorch its quickest AdamW; without, it has its default, which nanoGPT takes on CPUs.")
    private boolean tuned;

    @Option(
            names = "--whole",
            description = "Time whole runs instead: pacer run, and with --nanogpt nanoGPT's own commands.")
    private boolean whole;

    @Option(names = "--launch", description = "Time from the launch of pacer run to its first step instead.")
    private boolean launch;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "0",
            description = "Steps timed in each process (default: 200, of large models 10).")
    private int steps;

    @Option(
            names = "--repeats",
            paramLabel = "R",
            defaultValue = "0",
            description = "Processes of ours, and of theirs (default: 5, whole runs 3).")
    private int repeats;

    @Option(
            names = "--warmup",
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = "End warm-up after this long even if steps still get faster (default: 60).")
    private double warmup;

    @Option(
            names = "--length",
            paramLabel = "T",
            defaultValue = "0",
            description = "Tokens a sequence, where fewer than the model has positions.")
    private int length;

    @Option(
            names = "--products",
            paramLabel = "LIBRARY",
            defaultValue = "auto",
            description = "auto, onednn, openblas or vector: what forms our matrix products (default: auto).")
    private Gemms.Kind products;

    @Option(
            names = "--python",
            paramLabel = "PATH",
            description = "A Python with torch and numpy (default: an environment of our own, made once in the cache).")
    private Path python;

    @Option(names = "--nanogpt", paramLabel = "DIR", description = "A checkout of nanoGPT to compare whole runs with.")
    private Path nanoGpt;

    @Option(names = "--save", paramLabel = "DIR", description = "Write the result to DIR too, as Markdown and JSON.")
    private Path save;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;
    private volatile boolean stopped;

    BenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        check();
        Terminal shown = output.json() ? console.errors() : console.out();
        BenchReport.BenchMachine machine = BenchReport.BenchMachine.now(Machine.environment());
        if (machine.busy()) {
            shown.println(shown.paint(
                    Tone.WARN,
                    "the load is %.1f on %d cores: others work on this machine, times will not hold"
                            .formatted(machine.load(), machine.cores())));
        }
        try (Stop _ = endOnSignals();
                BenchFolder folder = BenchFolder.create()) {
            BenchResult result = measure(folder, shown::println);
            String line = "pacer "
                    + String.join(" ", command.commandLine().getParseResult().originalArgs());
            BenchReport report = new BenchReport(Instant.now(), machine, line, result);
            if (output.json()) {
                console.json(report);
            } else {
                report.print(shown);
            }
            if (save != null) {
                shown.println("saved " + Console.shown(report.save(save)));
            }
            return Exit.OK;
        } catch (InterruptedException | IOException e) {
            if (e instanceof IOException failure && !stopped) {
                throw failure;
            }
            // a Ctrl-C reaches the children too: one of them may have failed of it first
            console.err().println("pacer: ended; nothing was saved");
            return 128 + 2; // as shells have it of SIGINT
        }
    }

    private BenchResult measure(BenchFolder folder, Consumer<String> say) throws IOException, InterruptedException {
        Home home = places.home(console.environment());
        int times = repeats > 0 ? repeats : whole ? WHOLE_REPEATS : REPEATS;
        if (launch) {
            String name = spec.load().name();
            BenchProgram program = BenchProgram.ofThisProcess(console.environment());
            return BenchLaunches.measure(name, layers(), program, folder, times, say);
        }
        if (whole) {
            RunSpec settings = spec.load();
            BenchNanoGpt theirs = nanoGpt == null
                    ? null
                    : BenchNanoGpt.copy(nanoGpt, settings, interpreter(home, folder, say), folder);
            BenchProgram program = BenchProgram.ofThisProcess(console.environment());
            return BenchRuns.measure(settings, layers(), program, theirs, folder, times, say);
        }
        BenchCases.Timing timing = new BenchCases.Timing(length, products, steps, warmup);
        BenchCase what = BenchCases.find(spec.preset(), spec.configs(), spec.sets(), timing, folder);
        BenchPython rival = against == null ? null : interpreter(home, folder, say);
        return new BenchStepRunner(what, folder, home.cache(), console.environment(), rival, tuned).run(times, say);
    }

    private BenchPython interpreter(Home home, BenchFolder folder, Consumer<String> say)
            throws IOException, InterruptedException {
        return python != null ? BenchPython.at(python, folder) : BenchPython.own("python3", home.cache(), folder, say);
    }

    private List<String> layers() {
        List<String> layers = new ArrayList<>(List.of(spec.preset()));
        spec.configs().forEach(config -> layers.addAll(List.of("--config", config.toString())));
        spec.sets().forEach(set -> layers.addAll(List.of("--set", set)));
        return layers;
    }

    private void check() {
        require(!(whole && launch), "--whole and --launch are two measurements; give one of them");
        require(nanoGpt == null || whole, "--nanogpt is for whole runs; give --whole too");
        require(against == null || !launch, "--launch times pacer alone; leave --against out");
        require(!whole || against == null || nanoGpt != null, "--whole is compared with nanoGPT; give --nanogpt DIR");
        require(
                python == null || against != null || nanoGpt != null,
                "--python is for PyTorch; give --against pytorch");
        require(!tuned || (against != null && !whole), "--tuned is for PyTorch's steps; give --against pytorch");
        boolean step = !whole && !launch;
        require(
                step || (steps == 0 && length == 0 && products == Gemms.Kind.AUTO),
                "--steps, --length and --products are" + " for timing steps; leave them out with --whole and --launch");
        require(steps >= 0 && repeats >= 0 && length >= 0, "--steps, --repeats and --length must be 1 or more");
        require(warmup >= 0 && warmup <= 3600, "--warmup must be from 0 to 3600 seconds");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new Mistake(otherwise);
        }
    }

    /** Gives the signals back. */
    @FunctionalInterface
    private interface Stop extends AutoCloseable {
        @Override
        void close();
    }

    /** The thread that waits for a child is interrupted, kills the child and cleans up. */
    private Stop endOnSignals() {
        Thread waiting = Thread.currentThread();
        List<Signals.Taken> taken = Stream.of("INT", "TERM", "HUP")
                .map(signal -> Signals.on(signal, () -> {
                    stopped = true;
                    waiting.interrupt();
                }))
                .toList();
        return () -> taken.forEach(Signals.Taken::close);
    }
}
