package pacer.workflows.cli;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import pacer.activities.run.Home;
import pacer.workflows.PipelineOptions;
import pacer.workflows.ServiceWorker;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "worker",
        description = {
            "Work for a Temporal service: take runs, their stages and trainings, until told to end.",
            "Ctrl-C or SIGTERM ends it in order: a training writes a checkpoint and is gone on with later.%n"
        })
final class WorkerCommand implements Callable<Integer> {
    @Option(
            names = "--roles",
            paramLabel = "ROLES",
            split = ",",
            description = "control (workflows), host (opens runs; their stages on this machine): default both.")
    private List<String> roles = List.of("control", "host");

    @Option(
            names = "--build-id",
            paramLabel = "ID",
            description =
                    "Its version in PACER_DEPLOYMENT (default: PACER_BUILD_ID, else this build's version and commit).")
    private String buildId;

    @Option(
            names = "--metrics",
            paramLabel = "HOST:PORT",
            description = "Where Prometheus finds /metrics (default: PACER_METRICS, else nowhere).")
    private String metrics;

    @Mixin
    private ServiceOption service;

    @Mixin
    private PlaceOptions places;

    private final Console console;

    WorkerCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Home home = places.writable(console.environment());
        String where = metrics != null ? metrics : console.environment().getOrDefault("PACER_METRICS", "");
        Map<String, String> environment = new HashMap<>(console.environment());
        if (buildId != null) {
            environment.put("PACER_BUILD_ID", buildId);
        }
        CountDownLatch told = new CountDownLatch(1);
        AtomicInteger signals = new AtomicInteger();
        WorkerLog log = new WorkerLog(console);
        try (ServiceWorker worker = ServiceWorker.start(
                        new PipelineOptions(home, service.temporal(), environment),
                        roles(),
                        where.isBlank() ? null : where,
                        log::tell,
                        log::complain);
                Signals.Taken _ = Signals.on("INT", () -> end(told, signals, 2));
                Signals.Taken _ = Signals.on("TERM", () -> end(told, signals, 15));
                Signals.Taken _ = Signals.on("HUP", () -> end(told, signals, 1))) {
            console.println(worker.announcement());
            console.println("runs in " + Console.shown(home.runs()) + ", cache in " + Console.shown(home.cache()));
            told.await();
            console.println("ending: no new work is taken; a training writes a checkpoint");
        }
        console.println("ended");
        return Exit.OK;
    }

    private void end(CountDownLatch told, AtomicInteger signals, int number) {
        if (signals.getAndIncrement() > 0) {
            Runtime.getRuntime().halt(128 + number);
        }
        told.countDown();
    }

    private Set<ServiceWorker.Role> roles() {
        Set<ServiceWorker.Role> all = EnumSet.noneOf(ServiceWorker.Role.class);
        for (String name : roles) {
            all.add(Arrays.stream(ServiceWorker.Role.values())
                    .filter(role -> role.name().toLowerCase(Locale.ROOT).equals(name.strip()))
                    .findFirst()
                    .orElseThrow(() -> new Mistake("--roles " + name + ": no such role; there is "
                            + Arrays.stream(ServiceWorker.Role.values())
                                    .map(role -> role.name().toLowerCase(Locale.ROOT))
                                    .collect(Collectors.joining(", ")))));
        }
        return all;
    }
}
