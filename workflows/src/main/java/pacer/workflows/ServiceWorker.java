package pacer.workflows;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import pacer.activities.host.HostHealth;
import pacer.activities.host.KernelLog;
import pacer.activities.run.BadInputException;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunUpdate;
import pacer.trainer.durable.Host;
import pacer.workflows.metrics.MetricsEndpoint;
import pacer.workflows.metrics.ScheduleFacts;

/** A process that does nothing but work for a Temporal service. */
public final class ServiceWorker implements AutoCloseable {
    private final TemporalConnection connection;
    private final PipelineWorker worker;
    private final Optional<MetricsEndpoint> metrics;
    private final Optional<ScheduleWatch> schedules;
    private final Set<Role> roles;

    private ServiceWorker(
            TemporalConnection connection,
            PipelineWorker worker,
            Optional<MetricsEndpoint> metrics,
            Optional<ScheduleWatch> schedules,
            Set<Role> roles) {
        this.connection = connection;
        this.worker = worker;
        this.metrics = metrics;
        this.schedules = schedules;
        this.roles = roles;
    }

    /** What a worker does; each has task queues of its own. */
    public enum Role {
        /** Workflows; needs no disk. */
        CONTROL,
        /** Opening runs, and the stages of those whose folders are on this host, one training at a time. */
        HOST
    }

    /**
     * Connects, and works from then on.
     *
     * @param metrics where {@code /metrics} is served; null for nowhere
     * @param listener hears what happens in the stages, by run
     * @param complaints hears of what concerns no run alone: payloads whose key is not here
     * @throws BadInputException when no service is named, or the address for metrics is none
     * @throws IOException when nothing answers at the service's address
     */
    public static ServiceWorker start(
            PipelineOptions options,
            Set<Role> roles,
            String metrics,
            BiConsumer<String, RunUpdate> listener,
            Consumer<String> complaints)
            throws IOException {
        TemporalAddress address = TemporalAddress.find(options.temporal(), options.environment());
        if (address.isEmbedded()) {
            throw new BadInputException(
                    "a worker works for a Temporal service: give --temporal HOST:PORT or TEMPORAL_ADDRESS, or start one with: pacer up");
        }
        Optional<MetricsEndpoint> endpoint =
                metrics == null ? Optional.empty() : Optional.of(MetricsEndpoint.at(metrics));
        try {
            TemporalConnection connection = TemporalConnection.open(address, endpoint.map(MetricsEndpoint::scope));
            connection.onUnreadable(complaints);
            WorkerSettings settings = WorkerSettings.of(options.home(), options.environment());
            PipelineWorker worker = PipelineWorker.start(connection, settings, roles, complaints);
            RunHub hub = worker.hub();
            hub.followAll(listener);
            if (roles.contains(Role.HOST)) {
                watch(worker.health(), options.environment(), complaints);
            }
            if (roles.contains(Role.CONTROL)) {
                requireHearing(connection, settings.deployment(), complaints);
            }
            // who decides is asked about the night
            Optional<ScheduleWatch> schedules = endpoint.isPresent() && roles.contains(Role.CONTROL)
                    ? Optional.of(ScheduleWatch.start(connection))
                    : Optional.empty();
            endpoint.ifPresent(served -> {
                Supplier<List<ScheduleFacts>> watched =
                        () -> schedules.map(ScheduleWatch::get).orElse(List.of());
                hub.followAll(served.follow(options.home(), settings.cacheLimit(), worker.health(), watched));
                served.serve();
            });
            return new ServiceWorker(connection, worker, endpoint, schedules, EnumSet.copyOf(roles));
        } catch (IOException | RuntimeException e) {
            endpoint.ifPresent(MetricsEndpoint::close);
            throw e;
        }
    }

    /** Drains the host when the kernel's log tells of a GPU that must not be computed with. */
    private static void watch(HostHealth health, Map<String, String> environment, Consumer<String> complaints) {
        health.onUnfit(why -> complaints.accept(
                "host %s is drained, %s: no training is taken, and what trains is ended without a checkpoint, until this worker is started again"
                        .formatted(Host.name(), why)));
        if (KernelLog.follow(environment, health::see, complaints)) {
            health.watched();
        }
    }

    /** Says so where runs are given to others. */
    private static void requireHearing(
            TemporalConnection connection, Optional<Deployment> version, Consumer<String> complaints)
            throws IOException {
        Optional<Deployment> current = connection.currentVersion();
        if (!current.equals(version)) {
            complaints.accept(
                    "no run is given to this worker%s: they are given to %s; change that with: pacer promote%s"
                            .formatted(
                                    version.map(v -> ", " + v).orElse(", which has no version"),
                                    current.map(Deployment::toString).orElse("workers without a version"),
                                    version.isPresent() ? "" : " --unversioned"));
        }
    }

    /** One line for people: for which service, as what, and where its metrics are. */
    public String announcement() {
        String who =
                roles.stream().map(role -> role.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "));
        return "worker (%s) on %s for %s%s"
                .formatted(
                        who,
                        Host.name(),
                        connection.description(),
                        metrics.map(m -> "; metrics " + m.url()).orElse(""));
    }

    /** Ends in order; see {@link PipelineWorker#close}. */
    @Override
    public void close() {
        worker.close();
        schedules.ifPresent(ScheduleWatch::close);
        connection.close();
        metrics.ifPresent(MetricsEndpoint::close);
    }
}
