package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import pacer.activities.run.RunPlan;
import pacer.activities.training.Ensemble;
import pacer.activities.training.EnsembleActivity;
import pacer.activities.training.Meeting;
import pacer.activities.training.RanksRequest;
import pacer.activities.training.SlotHeld;
import pacer.activities.training.TrainingActivity;
import pacer.activities.training.TrainingRequest;
import pacer.activities.training.TrainingResult;

/**
 * The training of a run by several hosts. Their slots are gathered, all or none; each stages the dataset; the run's own host starts rank 0 and
 * its other ranks, which says where it is; then the others start theirs. When one fails, or its host is gone, all end, and hosts are gathered anew for the next attempt,
 * from the newest checkpoint.
 */
final class EnsembleTraining {
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(10);
    private static final int MOST_DOUBLINGS = 10;

    private final Policies policies;
    private final RunPlan plan;
    private final Ledger ledger;
    private final Slots slots;
    private Meeting meeting;
    private int gatherings;
    private int inVain; // gatherings in a row

    EnsembleTraining(Policies policies, RunPlan plan, Ledger ledger) {
        this.policies = policies;
        this.plan = plan;
        this.ledger = ledger;
        this.slots = new Slots(policies, plan.run());
    }

    void held(SlotHeld slot) {
        slots.held(slot);
    }

    void meeting(Meeting where) {
        meeting = where;
    }

    /** Trains on the dataset of hash {@code dataset}, with as many gatherings as it takes. */
    TrainingResult train(String dataset) {
        var finder = Workflow.newActivityStub(EnsembleActivity.class, policies.finding(plan.host()));
        while (true) {
            String gathering = Integer.toString(++gatherings);
            EnsembleActivity.Hosts there = new Patience(policies, plan.host()).await(() -> finder.find(plan.run()));
            String why;
            try {
                if (slots.take(gathering, there.names(), plan.host(), plan.hosts())) {
                    ledger.waiting(null);
                    inVain = 0;
                    return together(gathering, dataset, there.store());
                }
                why = "%d of %d hosts that it needs are free, of %d that there are"
                        .formatted(
                                slots.hosts().size(),
                                plan.hosts(),
                                there.names().size());
            } catch (ActivityFailure e) {
                if (isFinal(e)) {
                    throw e;
                }
                why = "the attempt ended: " + reason(e);
            } finally {
                slots.giveBack();
            }
            ledger.waiting(why + "; hosts are gathered anew");
            Workflow.sleep(pause());
        }
    }

    /**
     * Two runs that want the same hosts do not ask for them at the same moments for ever; and who waits for a week asks ever more seldom, so that it fits in a
     * history.
     */
    private Duration pause() {
        long first = policies.heartbeat().toMillis() / 4;
        long least = Math.min(LONGEST_PAUSE.toMillis(), first << Math.min(inVain++, MOST_DOUBLINGS));
        return Duration.ofMillis(least + Workflow.newRandom().nextLong(first + 1));
    }

    private TrainingResult together(String gathering, String dataset, String store) {
        List<String> others =
                slots.hosts().stream().filter(host -> !host.equals(plan.host())).toList();
        List<Promise<?>> work = new ArrayList<>();
        List<Promise<TrainingResult>> lead = new ArrayList<>();
        CancellationScope scope = Workflow.newCancellationScope(() -> {
            for (String host : others) {
                var there = Workflow.newActivityStub(EnsembleActivity.class, policies.stagingForRanks(host));
                work.add(Async.procedure(there::stage, new RanksRequest(plan.run(), dataset, store, 0, null)));
            }
            Workflow.await(() -> isBroken(work) || work.stream().allMatch(Promise::isCompleted));
            if (isBroken(work)) {
                return;
            }
            var training = Workflow.newActivityStub(TrainingActivity.class, policies.trainingTogether(plan.host()));
            lead.add(Async.function(
                    training::train, new TrainingRequest(plan.run(), dataset, new Ensemble(gathering, plan.hosts()))));
            work.addAll(lead);
            Workflow.await(() -> isBroken(work) || lead.getFirst().isCompleted() || isMet(gathering));
            int first = plan.ranksPerHost();
            for (String host : isMet(gathering) ? others : List.<String>of()) {
                var there = Workflow.newActivityStub(EnsembleActivity.class, policies.ranks(host, plan.host()));
                work.add(Async.procedure(there::train, new RanksRequest(plan.run(), dataset, store, first, meeting)));
                first += plan.ranksPerHost();
            }
            Workflow.await(() -> isBroken(work) || lead.getFirst().isCompleted());
        });
        Optional<ActivityFailure> cause;
        try {
            scope.run();
        } catch (CanceledFailure asked) { // by people: what it comes to is what the activities say
            settle(scope, work);
            if (lead.isEmpty()) {
                throw asked;
            }
            return lead.getFirst().get();
        }
        cause = failures(work).or(slots::lost);
        settle(scope, work);
        if (!lead.isEmpty() && lead.getFirst().getFailure() == null) {
            return lead.getFirst().get();
        }
        // what cannot be mended counts most, whoever said it first
        throw failures(work).filter(EnsembleTraining::isFinal).or(() -> cause).orElseThrow();
    }

    private boolean isMet(String gathering) {
        return meeting != null && meeting.gathering().equals(gathering);
    }

    private boolean isBroken(List<Promise<?>> work) {
        return !slots.isComplete() || failures(work).isPresent();
    }

    /** The first that failed, one that cannot be mended before others. */
    private static Optional<ActivityFailure> failures(List<Promise<?>> work) {
        List<ActivityFailure> all = work.stream()
                .filter(Promise::isCompleted)
                .flatMap(done -> done.getFailure() instanceof ActivityFailure e ? Stream.of(e) : Stream.empty())
                .toList();
        return all.stream().filter(EnsembleTraining::isFinal).findFirst().or(() -> all.stream()
                .findFirst());
    }

    /** Ends what is still at work, and waits for its end: nobody of this attempt is at work in the next one. */
    private static void settle(CancellationScope scope, List<Promise<?>> work) {
        Workflow.newDetachedCancellationScope(() -> {
                    scope.cancel("another host of this attempt has ended");
                    work.forEach(one -> {
                        RuntimeException _ = one.getFailure(); // waits for it
                    });
                })
                .run();
    }

    private static boolean isFinal(ActivityFailure e) {
        return e.getCause() instanceof ApplicationFailure said && said.isNonRetryable();
    }

    private static String reason(ActivityFailure e) {
        return e.getCause() instanceof ApplicationFailure said
                ? said.getOriginalMessage()
                : "a host was not heard of any more (%s of %s)".formatted(e.getActivityType(), e.getIdentity());
    }
}
