package pacer.workflows;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.ScheduleOverlapPolicy;
import io.temporal.client.WorkflowExecutionDescription;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.client.schedules.Schedule;
import io.temporal.client.schedules.ScheduleActionExecutionStartWorkflow;
import io.temporal.client.schedules.ScheduleActionStartWorkflow;
import io.temporal.client.schedules.ScheduleAlreadyRunningException;
import io.temporal.client.schedules.ScheduleBackfill;
import io.temporal.client.schedules.ScheduleClient;
import io.temporal.client.schedules.ScheduleException;
import io.temporal.client.schedules.ScheduleHandle;
import io.temporal.client.schedules.ScheduleIntervalSpec;
import io.temporal.client.schedules.ScheduleListActionStartWorkflow;
import io.temporal.client.schedules.ScheduleListDescription;
import io.temporal.client.schedules.ScheduleOptions;
import io.temporal.client.schedules.SchedulePolicy;
import io.temporal.client.schedules.ScheduleSpec;
import io.temporal.client.schedules.ScheduleState;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import pacer.activities.run.BadInputException;
import pacer.activities.run.RunRequest;

/** Reproductions that a Temporal service starts by itself. */
public final class Schedules implements AutoCloseable {
    private final TemporalConnection connection;
    private final ScheduleClient client;

    /** @param connection closed with these */
    Schedules(TemporalConnection connection) {
        this.connection = connection;
        this.client = connection.schedules();
    }

    /**
     * Those of the service at an address.
     *
     * @throws BadInputException where that is the one inside this process, which knows no schedules and ends with it
     * @throws IOException when nothing answers there
     */
    public static Schedules at(PipelineOptions options) throws IOException {
        TemporalAddress address = TemporalAddress.find(options.temporal(), options.environment());
        if (address.isEmbedded()) {
            throw new BadInputException(
                    "schedules need a Temporal service that lives: give --temporal HOST:PORT or TEMPORAL_ADDRESS, or start one with: pacer up");
        }
        return new Schedules(TemporalConnection.open(address));
    }

    private static final String DOES = "does"; // in its memo: its note is replaced by whoever pauses it in the UI
    private static final String PAUSED = "; paused by pacer schedule pause";

    /** What happens when it is time and the one before still works. */
    public enum Overlap {
        /** Nothing: that time is left out. */
        SKIP(ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP),
        /** One waits until the other is done. */
        BUFFER_ONE(ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE),
        /** All wait, and come one after the other. */
        BUFFER_ALL(ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL),
        /** The other is stopped, with a checkpoint. */
        CANCEL_OTHER(ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER);

        private final ScheduleOverlapPolicy policy;

        Overlap(ScheduleOverlapPolicy policy) {
            this.policy = policy;
        }
    }

    /**
     * When, and what of times that were missed.
     *
     * @param cron five fields, such as {@code 0 4 * * *}; empty where {@code every} says when
     * @param every null where {@code cron} says when
     * @param catchUp times missed while the service was down are made up for when they are not longer ago
     * @param jitter each time is put off by a random part of it
     */
    public record Times(
            Optional<String> cron, Duration every, ZoneId zone, Overlap overlap, Duration catchUp, Duration jitter) {}

    /**
     * A schedule as it stands.
     *
     * @param note what it does, for people
     * @param next empty when it is paused or over
     * @param recent ids of the last workflows, the newest last
     */
    public record Standing(String name, String note, boolean paused, List<Instant> next, List<Started> recent) {

        /** The longest time between two of its next starts; empty while it is paused, or where fewer than two are left. */
        public Optional<Duration> interval() {
            return paused
                    ? Optional.empty()
                    : IntStream.range(1, next.size())
                            .mapToObj(i -> Duration.between(next.get(i - 1), next.get(i)))
                            .max(Duration::compareTo);
        }
    }

    /** A workflow that a schedule started. */
    public record Started(Instant scheduled, String workflow) {}

    /**
     * Makes one.
     *
     * @param note for people
     * @throws BadInputException when there is one of that name
     */
    public void create(String name, RunRequest request, Times times, String note) {
        ScheduleSpec.Builder when =
                ScheduleSpec.newBuilder().setTimeZoneName(times.zone().getId()).setJitter(times.jitter());
        times.cron().ifPresent(cron -> when.setCronExpressions(List.of(cron)));
        if (times.every() != null) {
            when.setIntervals(List.of(new ScheduleIntervalSpec(times.every())));
        }
        Schedule schedule = Schedule.newBuilder()
                .setAction(ScheduleActionStartWorkflow.newBuilder()
                        .setWorkflowType(Reproduce.class)
                        .setArguments(request)
                        .setOptions(WorkflowOptions.newBuilder()
                                .setWorkflowId(name)
                                .setTaskQueue(TaskQueues.CONTROL)
                                .setStaticSummary(note)
                                .build())
                        .build())
                .setSpec(when.build())
                .setPolicy(SchedulePolicy.newBuilder()
                        .setOverlap(times.overlap().policy)
                        .setCatchupWindow(times.catchUp())
                        .build())
                .setState(ScheduleState.newBuilder().setNote(note).build())
                .build();
        try {
            client.createSchedule(
                    name,
                    schedule,
                    ScheduleOptions.newBuilder().setMemo(Map.of(DOES, note)).build());
        } catch (ScheduleAlreadyRunningException e) {
            throw new BadInputException(
                    "schedule " + name + ": there is one of that name; delete it first, or take another name", e);
        } catch (ScheduleException e) {
            if (e.getCause() instanceof StatusRuntimeException refused
                    && refused.getStatus().getCode() == Status.Code.INVALID_ARGUMENT) {
                throw new BadInputException(
                        "schedule " + name + ": the service refuses it: "
                                + refused.getStatus().getDescription(),
                        e);
            }
            throw e;
        }
    }

    /** All that start reproductions, by name. */
    public List<Standing> list() {
        try (Stream<ScheduleListDescription> all = client.listSchedules()) {
            return all.filter(Schedules::reproduces)
                    .map(s -> new Standing(
                            s.getScheduleId(),
                            Optional.ofNullable((String) s.getMemo(DOES, String.class))
                                    .orElse(s.getSchedule().getState().getNote()),
                            s.getSchedule().getState().isPaused(),
                            s.getInfo().getNextActionTimes(),
                            s.getInfo().getRecentActions().stream()
                                    .map(a -> new Started(
                                            a.getScheduledAt(),
                                            ((ScheduleActionExecutionStartWorkflow) a.getAction()).getWorkflowId()))
                                    .toList()))
                    .sorted((a, b) -> a.name().compareTo(b.name()))
                    .toList();
        }
    }

    private static boolean reproduces(ScheduleListDescription schedule) {
        return schedule.getSchedule().getAction() instanceof ScheduleListActionStartWorkflow start
                && start.getWorkflow().equals(Reproduce.class.getSimpleName());
    }

    /**
     * How a workflow of a schedule stands.
     *
     * @param scheduled when it was due
     * @param status as Temporal spells it: {@code RUNNING}, {@code COMPLETED}, {@code FAILED} …; null where the service knows it no more
     * @param ended null while it works
     * @param verdict of the reproduction, or why it failed; null where it has none
     */
    public record Outcome(Instant scheduled, String workflow, String status, Instant ended, String verdict) {}

    /** How the last workflow that {@code schedule} started stands; empty where it started none, or the service knows it no more. */
    public Optional<Outcome> last(Standing schedule) {
        return schedule.recent().isEmpty()
                ? Optional.empty()
                : Optional.of(outcome(schedule.recent().getLast())).filter(last -> last.status() != null);
    }

    /** How it stands, as the service knows it. */
    public Outcome outcome(Started started) {
        WorkflowStub workflow = connection.client().newUntypedWorkflowStub(started.workflow());
        try {
            WorkflowExecutionDescription described = workflow.describe();
            String status = described.getStatus().name().replaceFirst("^WORKFLOW_EXECUTION_STATUS_", "");
            String verdict = (String) described.getMemo("verdict", String.class);
            return new Outcome(
                    started.scheduled(),
                    started.workflow(),
                    status,
                    described.getCloseTime(),
                    verdict == null && status.equals("FAILED") ? reason(workflow) : verdict);
        } catch (WorkflowNotFoundException e) {
            return new Outcome(started.scheduled(), started.workflow(), null, null, null);
        }
    }

    /** Why a workflow failed that came to no verdict; null where it cannot be told. */
    private static String reason(WorkflowStub failed) {
        return WorkflowEnding.of(failed.getResultAsync(Object.class)) instanceof WorkflowEnding.Failed<?> why
                ? why.reason()
                : null;
    }

    /** Stops it from starting anything until it is unpaused. */
    public void pause(String name) {
        String note = does(name).map(it -> it + PAUSED).orElse("paused by pacer schedule pause");
        on(name, handle -> handle.pause(note));
    }

    public void unpause(String name) {
        String note = does(name).orElse("unpaused by pacer schedule unpause");
        on(name, handle -> handle.unpause(note));
    }

    /**
     * What it does, for its note, which Temporal's UI shows and a pause replaces. By the list, as the SDK (1.38) cannot describe a schedule whose action has a
     * summary and no details; a schedule that was made in this moment may not be in it yet.
     */
    private Optional<String> does(String name) {
        return list().stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .map(one -> one.note().replace(PAUSED, ""));
    }

    /** Starts its workflow now, beside its times. */
    public void trigger(String name) {
        on(name, ScheduleHandle::trigger);
    }

    public void delete(String name) {
        on(name, ScheduleHandle::delete);
    }

    /** Starts what it would have started between two times, one after the other. */
    public void backfill(String name, Instant from, Instant to) {
        on(
                name,
                handle -> handle.backfill(List.of(
                        new ScheduleBackfill(from, to, ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL))));
    }

    /** What to do to a schedule. */
    private interface Act {
        void to(ScheduleHandle handle);
    }

    private void on(String name, Act act) {
        try {
            act.to(client.getHandle(name));
        } catch (ScheduleException e) {
            if (Status.fromThrowable(e).getCode() != Status.Code.NOT_FOUND) {
                throw e;
            }
            List<String> names = list().stream().map(Standing::name).toList();
            throw new BadInputException(
                    "no schedule " + name
                            + (names.isEmpty() ? "; there is none" : "; there is " + String.join(", ", names)),
                    e);
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
