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
import pacer.workflows.doctor.Finding;
import pacer.workflows.doctor.ServiceChecks;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "doctor",
        description = {
            "Check this machine and the services that the environment names, and say how to mend what is wrong.",
            "Small things are written, read and deleted there, as runs do.",
            "Exits 1 when something is.%n"
        })
final class DoctorCommand implements Callable<Integer> {
    /** Columns of the findings' names. */
    private static final int NAMES = 11;

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
        return findings.stream().anyMatch(f -> f.state() == Finding.State.BAD) ? Exit.FAILED : Exit.OK;
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
            String blanks = " ".repeat(Math.max(1, NAMES - finding.name().length()));
            out.hang(mark + " " + finding.name() + blanks, Terminal.harmless(finding.text()), NAMES + 2);
            if (finding.remedy() != null) {
                out.hang(" ".repeat(NAMES + 2) + "→ ", Terminal.harmless(finding.remedy()), NAMES + 4);
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
            return new Finding(
                    "java", Finding.State.BAD, text, "install a JDK 25 or newer, or let JAVA_HOME point to it");
        }
        if (ModuleFinder.ofSystem().find("jdk.incubator.vector").isEmpty()) {
            return new Finding(
                    "java",
                    Finding.State.BAD,
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
                    fallback ? Finding.State.POOR : Finding.State.GOOD,
                    device.description(),
                    fallback ? "matrix products run in Java here, slower than a native library's" : null);
        } catch (IOException e) {
            return new Finding(
                    "products", Finding.State.BAD, e.getMessage(), "check that the cache folder can be written");
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
                caches ? Finding.State.GOOD : Finding.State.POOR,
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
                    ? new Finding(
                            name, Finding.State.POOR, text, "make room, or give --" + name + " DIR on another disk")
                    : Finding.good(name, text);
        } catch (IOException e) {
            return new Finding(
                    name,
                    Finding.State.BAD,
                    Console.shown(folder) + " cannot be written: " + e,
                    "mend its permissions, or give --" + name + " DIR");
        }
    }
}
