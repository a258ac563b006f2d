package pacer.workflows;

import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityOptions;
import io.temporal.api.enums.v1.ParentClosePolicy;
import io.temporal.common.RetryOptions;
import io.temporal.workflow.ChildWorkflowCancellationType;
import io.temporal.workflow.ChildWorkflowOptions;
import java.time.Duration;
import java.util.Map;
import pacer.activities.dataset.Preparation;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.BadInputException;
import pacer.trainer.text.ShardPlan;

/**
 * Every timeout and retry of the pipeline, each with its reason.
 *
 * @param heartbeat a worker not heard of for this long is taken for dead, and its stage is begun anew. Long enough for a
 *     restart of the Temporal server, during which nobody can be heard; short enough that a dead host costs a minute
 * @param hostTimeout work that a host has not begun for this long is asked after, and given up where nobody answers. Longer than a repair that takes a
 *     weekend and the days until a part comes; short enough that a run whose host is gone is noticed while it is remembered
 * @param runsAHistory after so many runs a sweep is continued as new: each has some tens of events, and where it is watched some for each validation, of the
 *     51,200 that a history holds
 */
record Policies(Duration heartbeat, Duration hostTimeout, int runsAHistory) {
    private static final String HEARTBEAT = "PACER_HEARTBEAT_TIMEOUT";
    private static final String HOST = "PACER_HOST_TIMEOUT";
    private static final int LEAST_HOST = 60; // a worker that is made anew is away for as long
    private static final int MOST_HOST = 365 * 24 * 3600;

    private static final int RUNS_A_HISTORY = 50;

    private static final Duration HOST_TIMEOUT = Duration.ofDays(7);

    /** A host that is upgraded or started again is back within it. */
    private static final Duration RESTART = Duration.ofMinutes(10);

    /** A host that is up has begun what waits for nothing within it, and a worker that is started again is up. */
    private static final Duration MOMENT = Duration.ofSeconds(30);

    private static final Duration LONGEST_WAIT = Duration.ofHours(1);

    private static final int LEAST_HEARTBEAT = 5; // heartbeats are a second apart, and machines may be busy
    private static final int MOST_HEARTBEAT = 3600;
    private static final int UNLIMITED = 0; // what Temporal takes 0 attempts for

    /** The standard ones with this heartbeat timeout. */
    Policies(Duration heartbeat) {
        this(heartbeat, HOST_TIMEOUT);
    }

    /** The standard ones with these timeouts. */
    Policies(Duration heartbeat, Duration hostTimeout) {
        this(heartbeat, hostTimeout, RUNS_A_HISTORY);
    }

    static Policies standard() {
        return new Policies(Duration.ofSeconds(60));
    }

    /**
     * The standard ones, with the heartbeat timeout of {@code PACER_HEARTBEAT_TIMEOUT} and the host timeout of {@code PACER_HOST_TIMEOUT} where they are set.
     *
     * @throws BadInputException when one is no number of seconds which a worker can keep to
     */
    static Policies of(Map<String, String> environment) {
        Policies standard = standard();
        return new Policies(
                seconds(environment, HEARTBEAT, LEAST_HEARTBEAT, MOST_HEARTBEAT, standard.heartbeat),
                seconds(environment, HOST, LEAST_HOST, MOST_HOST, standard.hostTimeout));
    }

    /**
     * These, for what waits for a host on after it has answered: twice as long, up to an hour where the timeout is shorter. A wait of a month then is some
     * hundreds of questions, where a minute each time would fill the history in days; a host that goes meanwhile is missed an hour later at most.
     */
    Policies moreSeldom() {
        Duration twice = hostTimeout.multipliedBy(2);
        Duration longest = hostTimeout.compareTo(LONGEST_WAIT) < 0 ? LONGEST_WAIT : hostTimeout;
        return new Policies(heartbeat, twice.compareTo(longest) < 0 ? twice : longest, runsAHistory);
    }

    private static Duration seconds(Map<String, String> environment, String name, int least, int most, Duration usual) {
        String text = environment.getOrDefault(name, "").strip();
        if (text.isEmpty()) {
            return usual;
        }
        int seconds = text.matches("[0-9]{1,8}") ? Integer.parseInt(text) : 0;
        if (seconds < least || seconds > most) {
            throw new BadInputException(
                    "%s: '%s' is no number of seconds from %d to %d".formatted(name, text, least, most));
        }
        return Duration.ofSeconds(seconds);
    }

    /** Reading a preset and writing a folder: at once, or the disk is at fault. Faults of disks may pass, some times. */
    ActivityOptions open() {
        return opening(TaskQueues.CONTROL).build();
    }

    /** The same on the host that has the folder. Somebody waits for it: a host that is there takes it at once, and one that is drained never will. */
    ActivityOptions open(String host) {
        ActivityOptions options = opening(TaskQueues.data(host)).build();
        return options.toBuilder()
                .setScheduleToStartTimeout(MOMENT.compareTo(hostTimeout) < 0 ? MOMENT : hostTimeout)
                .setRetryOptions(options.getRetryOptions().toBuilder()
                        .setDoNotRetry(ActivityStage.HOST_DRAINED)
                        .build())
                .build();
    }

    private ActivityOptions.Builder opening(String queue) {
        return options(queue, "opens the run's folder", Duration.ofMinutes(1), 5, Duration.ofSeconds(10))
                .setHeartbeatTimeout(heartbeat);
    }

    /**
     * A download over a slow line and the tokenization of 100 GB fit in a day. Each attempt goes on where the last one
     * ended, so attempts are cheap; a home that is down for the night is worth waiting for.
     */
    ActivityOptions dataset(String host) {
        String summary = "raw text to verified token shards";
        return stage(TaskQueues.data(host), summary, Duration.ofHours(24), 100, Duration.ofMinutes(10));
    }

    /** Waiting for a host that does other work beside: it is there, or gone, and then another that has the file may begin anew. */
    static final Duration FOR_ITS_HOST = Duration.ofMinutes(10);

    /** A step that any host can do; where none is free, it waits its turn. */
    private ActivityOptions anywhere(String summary, Duration atMost, int attempts, Duration longestPause) {
        return stage(TaskQueues.SHARED_DATA, summary, atMost, attempts, longestPause);
    }

    /** A step that needs files which may be of one host. */
    private ActivityOptions whereItsFilesAre(
            Preparation of, String summary, Duration atMost, int attempts, Duration longestPause) {
        return of.bound()
                ? stage(TaskQueues.data(of.host()), summary, atMost, attempts, longestPause).toBuilder()
                        .setScheduleToStartTimeout(FOR_ITS_HOST)
                        .build()
                : anywhere(summary, atMost, attempts, longestPause);
    }

    /** Asking the store, after the digest of a raw file where nobody knows it: 100 GB from a slow disk take a quarter of an hour. */
    ActivityOptions naming(String host) {
        String summary = "names the dataset, and looks for it in the store";
        ActivityOptions options = stage(
                host == null ? TaskQueues.CONTROL : TaskQueues.data(host),
                summary,
                Duration.ofHours(6),
                20,
                Duration.ofMinutes(1));
        return options.toBuilder().setScheduleToStartTimeout(FOR_ITS_HOST).build();
    }

    /** As long as the execution that makes it takes; it has limits of its own. */
    ActivityOptions awaiting(Preparation of) {
        String summary = "waits for the execution that makes it";
        return stage(TaskQueues.data(of.host()), summary, Duration.ofDays(30), 20, Duration.ofMinutes(1)).toBuilder()
                .setScheduleToStartTimeout(FOR_ITS_HOST)
                .build();
    }

    /** The download of a raw file, as {@link #dataset}, and two passes over it. */
    ActivityOptions dividing(Preparation of) {
        return whereItsFilesAre(of, "raw file to parts", Duration.ofHours(24), 100, Duration.ofMinutes(10));
    }

    /** A file of some 200 MB, or of 20 GB where a catalogue has but one; a home that is down for the night is worth waiting for. */
    ActivityOptions bringing(Preparation of, int file) {
        String summary = "file %d of %d to the store".formatted(file + 1, of.files());
        return whereItsFilesAre(of, summary, Duration.ofHours(12), 100, Duration.ofMinutes(10));
    }

    /** Seconds; a quarter of an hour over a slow line. Many attempts, as each may meet a host with another fault. */
    ActivityOptions tokenizing(int part, int parts) {
        String summary = "part %d of %d to tokens".formatted(part + 1, parts);
        return anywhere(summary, Duration.ofHours(2), 20, Duration.ofMinutes(1));
    }

    /** 200 MB from the store and back. */
    ActivityOptions joining(ShardPlan shard) {
        return anywhere("joins " + shard.name(), Duration.ofHours(2), 20, Duration.ofMinutes(1));
    }

    /** One small object is written, and some hundreds are deleted. */
    ActivityOptions finishing() {
        return anywhere("writes the manifest", Duration.ofHours(1), 20, Duration.ofMinutes(1));
    }

    /** As {@link #finishing}, of what came to nothing: who waits is told the reason afterwards. */
    ActivityOptions dropping() {
        return anywhere(
                "deletes the parts of a text that cannot be used", Duration.ofHours(1), 3, Duration.ofSeconds(10));
    }

    /** Linking or copying, and reading every byte once: 100 GB from a slow disk take a quarter of an hour. */
    ActivityOptions staging(String host) {
        String summary = "shards to the training host's disk";
        return stage(TaskQueues.data(host), summary, Duration.ofHours(6), 20, Duration.ofMinutes(5));
    }

    /**
     * Runs of weeks are runs; the heartbeat and the trainer's own watchdog find what hangs. The number of attempts is not
     * limited here, for a long run on bad hardware may need many: the activity itself gives up when several in a row got no
     * further than the same checkpoint, and says how long to wait before the next. Pauses here are those after a worker that is silent or
     * ends, of which the activity cannot tell; they must not grow with the age of a run, as its steps would wait for them. Waiting for the host's only training slot is no fault, so it has no limit while the host answers.
     */
    ActivityOptions training(String host) {
        String summary = "optimizer steps, from the newest checkpoint";
        return stage(TaskQueues.train(host), summary, Duration.ofDays(60), UNLIMITED, Duration.ofSeconds(4));
    }

    /** Asking the service who there is. */
    ActivityOptions finding(String host) {
        String summary = "which hosts there are to train on";
        return stage(TaskQueues.data(host), summary, Duration.ofMinutes(5), 20, Duration.ofMinutes(1));
    }

    /**
     * A slot is free or not: who waits for one holds others meanwhile, so for no longer than a dead host takes to be noticed. Then it is held for as long as training
     * takes.
     */
    ActivityOptions holding(String host) {
        return stage(TaskQueues.train(host), "holds the slot of " + host, Duration.ofDays(60), 1, Duration.ofSeconds(1))
                .toBuilder()
                .setScheduleToStartTimeout(heartbeat)
                .build();
    }

    /** As {@link #staging}, from the store; other hosts wait meanwhile. */
    ActivityOptions stagingForRanks(String host) {
        String summary = "shards to the disk of " + host;
        return stage(TaskQueues.data(host), summary, Duration.ofHours(6), 3, Duration.ofSeconds(10)).toBuilder()
                .setScheduleToStartTimeout(restart())
                .build();
    }

    /** As {@link #training}, once: after a failure hosts are gathered anew. The host's slot is held by another activity. */
    ActivityOptions trainingTogether(String host) {
        String summary = "rank 0 and others of this host, from the newest checkpoint";
        return stage(TaskQueues.data(host), summary, Duration.ofDays(60), 1, Duration.ofSeconds(1)).toBuilder()
                .setScheduleToStartTimeout(restart())
                .build();
    }

    /** The same on a host that joins rank 0's, which waits two minutes for all. */
    ActivityOptions ranks(String host, String first) {
        String summary = "ranks of %s, with %s's".formatted(host, first);
        return stage(TaskQueues.data(host), summary, Duration.ofDays(60), 1, Duration.ofSeconds(1)).toBuilder()
                .setScheduleToStartTimeout(heartbeat)
                .build();
    }

    /** A pass over the validation tokens and some samples: minutes; hours on a slow machine with a large model. */
    ActivityOptions evaluation(String host) {
        String summary = "validation loss and samples of the checkpoint";
        return stage(TaskQueues.train(host), summary, Duration.ofHours(12), 5, Duration.ofMinutes(1));
    }

    /** Made from files that are all there. */
    ActivityOptions publishing(String host) {
        String summary = "metrics, samples, report, verdict";
        return stage(TaskQueues.data(host), summary, Duration.ofMinutes(10), 5, Duration.ofMinutes(1));
    }

    /** Reading the records of earlier runs. */
    ActivityOptions comparing(String host) {
        String summary = "compares with earlier runs";
        return options(TaskQueues.data(host), summary, Duration.ofMinutes(5), 5, Duration.ofMinutes(1))
                .setScheduleToStartTimeout(hostTimeout)
                .build();
    }

    /** Reading a run's record and the digest of its log, or writing a record down. */
    ActivityOptions recording(String host) {
        String summary = "what the runs prove";
        return options(TaskQueues.data(host), summary, Duration.ofMinutes(10), 5, Duration.ofMinutes(1))
                .setScheduleToStartTimeout(hostTimeout)
                .build();
    }

    /** The same for what nothing waits for: what is not written now is written with the end. */
    ActivityOptions noting(String host) {
        return options(TaskQueues.data(host), "how a run ended", Duration.ofMinutes(5), 3, Duration.ofSeconds(10))
                .setScheduleToStartTimeout(MOMENT.compareTo(hostTimeout) < 0 ? MOMENT : hostTimeout)
                .build();
    }

    /** Asking a workflow, by any host: one that waits for its first host is asked again and again. */
    ActivityOptions asking() {
        return stage(TaskQueues.CONTROL, "asks a run", Duration.ofDays(60), UNLIMITED, Duration.ofMinutes(1))
                .toBuilder()
                .setCancellationType(ActivityCancellationType.TRY_CANCEL)
                .build();
    }

    /** From one validation to the next, which may be hours. Who waits for the run does not wait for this to end. */
    ActivityOptions watching(String host) {
        return stage(
                        TaskQueues.data(host),
                        "waits for a validation",
                        Duration.ofDays(60),
                        UNLIMITED,
                        Duration.ofMinutes(1))
                .toBuilder()
                .setCancellationType(ActivityCancellationType.TRY_CANCEL)
                .build();
    }

    /**
     * Asking a run to end its training: it does after a step, with a checkpoint. One that has been told of no step yet refuses for some seconds; one whose training is over
     * refuses for good, and nothing waits for that.
     */
    ActivityOptions stoppingEarly() {
        return options(TaskQueues.CONTROL, "ends a hopeless run", Duration.ofMinutes(30), 20, Duration.ofSeconds(10))
                .build();
    }

    /** Nothing to do but to answer. Whether the host is there is asked long after it should have been. */
    ActivityOptions answer(String queue) {
        return options(queue, "is the host there?", Duration.ofMinutes(1), 3, Duration.ofSeconds(10))
                .setScheduleToStartTimeout(restart())
                .build();
    }

    private Duration restart() {
        return RESTART.compareTo(hostTimeout) < 0 ? RESTART : hostTimeout;
    }

    /** A step of a large model and its checkpoint take minutes; a training that is at work at all writes one. */
    ActivityOptions checkpointNow(String host) {
        String summary = "asks the training for a checkpoint";
        return options(TaskQueues.data(host), summary, Duration.ofMinutes(30), 1, Duration.ofSeconds(1))
                .setScheduleToStartTimeout(restart())
                .build();
    }

    /**
     * Beside a run from its beginning to its end, and on until MLflow has it all. An outage is waited for within an attempt; what makes one
     * fail is mended by people: a password, a deleted experiment. They have days, and need tell nobody when it is done.
     */
    ActivityOptions tracking(String host) {
        String summary = "sends what is new to MLflow";
        return stage(TaskQueues.data(host), summary, Duration.ofDays(70), UNLIMITED, Duration.ofMinutes(10));
    }

    /** A workflow of its own, which outlives the pipeline's, however that ends: nobody waits for it. */
    static ChildWorkflowOptions trackingWorkflow(String run, String execution) {
        return ChildWorkflowOptions.newBuilder()
                // a run may be gone on with while an earlier execution's is still at work
                .setWorkflowId(run + "-tracking-" + execution)
                .setTaskQueue(TaskQueues.CONTROL)
                .setParentClosePolicy(ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON)
                .setCancellationType(ChildWorkflowCancellationType.ABANDON)
                .setStaticSummary("run " + run + " to MLflow")
                .build();
    }

    /** A run of another workflow. Who stops that one means its runs, which end in order. */
    static ChildWorkflowOptions run(String id, String summary, Map<String, Object> memo) {
        return ChildWorkflowOptions.newBuilder()
                .setWorkflowId(id)
                .setTaskQueue(TaskQueues.CONTROL)
                .setStaticSummary(summary)
                .setMemo(memo)
                .setParentClosePolicy(ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL)
                .setCancellationType(ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED)
                .build();
    }

    /** The last words on a run. Somebody waits for them: a disk that is full now is full in a minute, and a host that is not back soon is not waited for. */
    ActivityOptions close(String host) {
        String summary = "closes the run's record";
        // report, store and webhook have each their own limit within
        return options(TaskQueues.data(host), summary, Duration.ofMinutes(3), 4, Duration.ofSeconds(4))
                .setScheduleToStartTimeout(restart())
                .build();
    }

    /** The record of a run that is finished and published could not be closed: its disk is full, and somebody has to look. A day, then it stays so. */
    ActivityOptions closeLater(String host) {
        String summary = "closes the run's record, again";
        return options(TaskQueues.data(host), summary, Duration.ofMinutes(3), 100, Duration.ofMinutes(15))
                .setScheduleToStartTimeout(restart())
                .build();
    }

    /** Three messages of ten seconds each at most, within. Whoever decides on the run takes it, or is of an earlier version and never will. */
    ActivityOptions telling() {
        return options(TaskQueues.NOTICES, "tells of the run", Duration.ofMinutes(2), 2, Duration.ofSeconds(4))
                .setScheduleToStartTimeout(MOMENT)
                .build();
    }

    /** What takes long enough that its worker has to be heard of. */
    private ActivityOptions stage(String queue, String summary, Duration atMost, int attempts, Duration longestPause) {
        return options(queue, summary, atMost, attempts, longestPause)
                .setHeartbeatTimeout(heartbeat)
                .setScheduleToStartTimeout(hostTimeout)
                .build();
    }

    private static ActivityOptions.Builder options(
            String queue, String summary, Duration atMost, int attempts, Duration longestPause) {
        return ActivityOptions.newBuilder()
                .setTaskQueue(queue)
                .setSummary(summary)
                .setStartToCloseTimeout(atMost)
                // a cancelled stage ends in order, with a checkpoint, before the run is closed
                .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
                .setRetryOptions(RetryOptions.newBuilder()
                        .setMaximumAttempts(attempts)
                        // many faults pass at once; each pause is twice the one before, up to the longest
                        .setInitialInterval(Duration.ofSeconds(1))
                        .setBackoffCoefficient(2)
                        .setMaximumInterval(longestPause)
                        .build());
    }
}
