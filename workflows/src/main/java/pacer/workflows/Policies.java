package pacer.workflows;

import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityOptions;
import io.temporal.common.RetryOptions;
import java.time.Duration;

/**
 * Every timeout and retry of the pipeline, each with its reason.
 *
 * @param heartbeat a worker not heard of for this long is taken for dead, and its stage is begun anew. Long enough for a
 *     restart of the Temporal server, during which nobody can be heard; short enough that a dead host costs a minute
 */
record Policies(Duration heartbeat) {

    static Policies standard() {
        return new Policies(Duration.ofSeconds(60));
    }

    /** Reading a preset and writing a folder: at once, or the disk is at fault. Faults of disks may pass, some times. */
    ActivityOptions open() {
        return options(TaskQueues.CONTROL, Duration.ofMinutes(1), "opens the run's folder")
                .setRetryOptions(retries(5, Duration.ofSeconds(1), Duration.ofSeconds(10)))
                .build();
    }

    /**
     * A download over a slow line and the tokenization of 100 GB fit in a day. Each attempt goes on where the last one
     * ended, so attempts are cheap; a home that is down for the night is worth waiting for.
     */
    ActivityOptions dataset(String host) {
        return options(TaskQueues.data(host), Duration.ofHours(24), "raw text to verified token shards")
                .setHeartbeatTimeout(heartbeat)
                .setRetryOptions(retries(100, Duration.ofSeconds(1), Duration.ofMinutes(10)))
                .build();
    }

    /** Linking or copying, and reading every byte once: 100 GB from a slow disk take a quarter of an hour. */
    ActivityOptions staging(String host) {
        return options(TaskQueues.data(host), Duration.ofHours(6), "shards to the training host's disk")
                .setHeartbeatTimeout(heartbeat)
                .setRetryOptions(retries(20, Duration.ofSeconds(1), Duration.ofMinutes(5)))
                .build();
    }

    /**
     * Runs of weeks are runs; the heartbeat and the trainer's own watchdog find what hangs. The number of attempts is not
     * limited here, for a long run on bad hardware may need many: the activity itself gives up when several in a row got no
     * further than the same checkpoint. Waiting for the host's only training slot is no fault, so it has no limit.
     */
    ActivityOptions training(String host) {
        return options(TaskQueues.train(host), Duration.ofDays(60), "optimizer steps, from the newest checkpoint")
                .setHeartbeatTimeout(heartbeat)
                .setRetryOptions(retries(0, Duration.ofSeconds(1), Duration.ofMinutes(1)))
                .build();
    }

    /** A pass over the validation tokens and some samples: minutes; hours on a slow machine with a large model. */
    ActivityOptions evaluation(String host) {
        return options(TaskQueues.train(host), Duration.ofHours(12), "validation loss and samples of the checkpoint")
                .setHeartbeatTimeout(heartbeat)
                .setRetryOptions(retries(5, Duration.ofSeconds(1), Duration.ofMinutes(1)))
                .build();
    }

    /** Made from files that are all there. */
    ActivityOptions publishing(String host) {
        return options(TaskQueues.data(host), Duration.ofMinutes(10), "metrics, samples, report, verdict")
                .setHeartbeatTimeout(heartbeat)
                .setRetryOptions(retries(5, Duration.ofSeconds(1), Duration.ofMinutes(1)))
                .build();
    }

    /** The last words on a run; worth some patience, as nothing comes after them. */
    ActivityOptions close(String host) {
        return options(TaskQueues.data(host), Duration.ofMinutes(1), "closes the run's record")
                .setRetryOptions(retries(20, Duration.ofSeconds(1), Duration.ofMinutes(1)))
                .build();
    }

    private static ActivityOptions.Builder options(String queue, Duration atMost, String summary) {
        return ActivityOptions.newBuilder()
                .setTaskQueue(queue)
                .setStartToCloseTimeout(atMost)
                .setSummary(summary)
                // a cancelled stage ends in order, with a checkpoint, before the run is closed
                .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED);
    }

    private static RetryOptions retries(int attempts, Duration first, Duration longest) {
        return RetryOptions.newBuilder()
                .setMaximumAttempts(attempts)
                .setInitialInterval(first)
                .setBackoffCoefficient(2)
                .setMaximumInterval(longest)
                .build();
    }
}
