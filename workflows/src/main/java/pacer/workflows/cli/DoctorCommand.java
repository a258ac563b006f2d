package pacer.workflows.cli;

import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Environment;
import pacer.activities.run.Home;
import pacer.activities.run.Machine;
import pacer.trainer.ops.cpu.CpuDevice;
import pacer.trainer.ops.cpu.Gemms;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "doctor",
        description = {
            "Check what pacer needs on this machine, and say how to mend what is wrong.",
            "Exits 1 when something is.%n"
        })
final class DoctorCommand implements Callable<Integer> {
    private static final long LITTLE_SPACE = 2_000_000_000L;

    @Mixin
    private ServiceOption service;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    DoctorCommand(Console console) {
        this.console = console;
    }

    /** How serious a finding is. */
    enum State {
        GOOD,
        /** Works, but less well than it could. */
        POOR,
        BAD
    }

    /**
     * What was found.
     *
     * @param remedy what to do; null where nothing is to be done
     */
    record Finding(String name, State state, String text, String remedy) {

        static Finding good(String name, String text) {
            return new Finding(name, State.GOOD, text, null);
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        Map<String, String> environment = console.environment();
        Home home = places.home(environment);
        List<Finding> findings = new ArrayList<>();
        Environment machine = Machine.environment();
        findings.add(Finding.good("pacer", machine.pacer() + commit(machine)));
        findings.add(java());
        findings.add(Finding.good(
                "machine",
                "%s, %d cores, %s memory, %s"
                        .formatted(
                                machine.cpu(),
                                machine.cores(),
                                Quantities.bytes(machine.memoryBytes()),
                                machine.os())));
        findings.add(products(home.cache()));
        findings.add(start(environment));
        findings.add(folder("runs", home.runs()));
        findings.add(folder("cache", home.cache()));
        findings.addAll(new ServiceChecks(environment).findings(service.temporal()));
        if (output.json()) {
            console.json(findings);
        } else {
            print(findings);
        }
        return findings.stream().anyMatch(f -> f.state() == State.BAD) ? Exit.FAILED : Exit.OK;
    }

    private void print(List<Finding> findings) {
        Terminal out = console.out();
        for (Finding finding : findings) {
            String mark =
                    switch (finding.state()) {
                        case GOOD -> out.paint(Tone.GOOD, "✓");
                        case POOR -> out.paint(Tone.WARN, "●");
                        case BAD -> out.paint(Tone.BAD, "✗");
                    };
            String blanks = " ".repeat(Math.max(1, 10 - finding.name().length()));
            out.flow(mark + " " + finding.name() + blanks + Terminal.harmless(finding.text()), 12);
            if (finding.remedy() != null) {
                out.flow("            → " + finding.remedy(), 14);
            }
        }
    }

    private static String commit(Environment machine) {
        return machine.commit() == null
                ? ", not in a git checkout: runs carry no commit"
                : ", commit " + machine.commit() + (machine.dirty() ? " with uncommitted changes" : "");
    }

    private static Finding java() {
        String text =
                Runtime.version() + ", " + System.getProperty("java.vendor") + ", " + System.getProperty("java.home");
        if (Runtime.version().feature() < 25) {
            return new Finding("java", State.BAD, text, "install a JDK 25 or newer, or let JAVA_HOME point to it");
        }
        if (ModuleFinder.ofSystem().find("jdk.incubator.vector").isEmpty()) {
            return new Finding(
                    "java",
                    State.BAD,
                    text + ", without jdk.incubator.vector",
                    "use a full JDK 25, such as Eclipse Temurin");
        }
        return Finding.good("java", text);
    }

    private static Finding products(Path cache) {
        try (CpuDevice device = CpuDevice.open(Runtime.getRuntime().availableProcessors(), Gemms.Kind.AUTO, cache)) {
            boolean fallback = device.description().contains("Vector API");
            return new Finding(
                    "products",
                    fallback ? State.POOR : State.GOOD,
                    device.description(),
                    fallback ? "matrix products run in Java here, slower than a native library's" : null);
        } catch (IOException e) {
            return new Finding("products", State.BAD, e.getMessage(), "check that the cache folder can be written");
        }
    }

    private static Finding start(Map<String, String> environment) {
        String build = environment.get("PACER_BUILD");
        if (build == null) {
            return Finding.good("start", "not by the launcher");
        }
        boolean caches =
                Files.isRegularFile(Path.of(build, "cli.aot")) && Files.isRegularFile(Path.of(build, "trainer.aot"));
        return new Finding(
                "start",
                caches ? State.GOOD : State.POOR,
                caches ? "with classes prepared ahead of time" : "without classes prepared ahead of time",
                caches ? null : "runs start about a second later; the next build tries again");
    }

    private static Finding folder(String name, Path folder) {
        try {
            Files.createDirectories(folder);
            Path probe = Files.createTempFile(folder, ".doctor", "");
            Files.delete(probe);
            FileStore store = Files.getFileStore(folder);
            String text = Console.shown(folder) + ", " + Quantities.bytes(store.getUsableSpace()) + " free";
            return store.getUsableSpace() < LITTLE_SPACE
                    ? new Finding(name, State.POOR, text, "make room, or give --" + name + " DIR on another disk")
                    : Finding.good(name, text);
        } catch (IOException e) {
            return new Finding(
                    name,
                    State.BAD,
                    Console.shown(folder) + " cannot be written: " + e,
                    "mend its permissions, or give --" + name + " DIR");
        }
    }
}
