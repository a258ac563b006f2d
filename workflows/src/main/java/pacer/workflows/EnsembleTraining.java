package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TimeoutFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Progress;
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

    /** After which the run goes on in a history of its own, of the 51,200 that one may have: an attempt of a month adds some 6,000, one that fails at once a hundred or so. */
    static final int MOST_EVENTS = 20_000;

    /**
     * When one host's ranks fail, the others' do at once, by their sockets: time for all to say how. It is the run's own host that counts failures, and knows when
     * there were too many; that which is cancelled says nothing of the kind.
     */
    private static final Duration LAST_WORDS = Duration.ofSeconds(10);

    private final Policies policies;
    private final RunPlan plan;
    private final Ledger ledger;
    private final int mostEvents;
    private final Slots slots;
    /** Hosts by which an attempt ended, the latest last: they are asked last. */
    private final List<String> doubtful = new ArrayList<>();

    private Meeting meeting;
    private Instant begun; // null before the first gathering
    private int gatherings;
    private int inVain; // gatherings in a row

    /** @param mostEvents {@link #MOST_EVENTS}, but for tests */
    EnsembleTraining(Policies policies, RunPlan plan, Ledger ledger, int mostEvents) {
        this.policies = policies;
        this.mostEvents = mostEvents;
        this.plan = plan;
        this.ledger = ledger;
        this.slots = new Slots(policies, plan.run());
    }

    /** What a host does in an attempt. */
    private record Work<T>(String host, Promise<T> end) {
        boolean failed() {
            return end.isCompleted() && end.getFailure() != null;
        }

        boolean failedUnasked() {
            return failed() && end.getFailure() instanceof ActivityFailure e && !Steering.endedOnRequest(e);
        }
    }

    /** An attempt that has ended before training did: the host by which, and why. */
    private static final class BrokenException extends Exception {
        private final String host;
        private final transient ActivityFailure why;

        BrokenException(String host, ActivityFailure why) {
            super(why);
            this.host = host;
            this.why = why;
        }
    }

    void held(SlotHeld slot) {
        slots.held(slot);
    }

    void meeting(Meeting where) {
        meeting = where;
    }

    /** Trains on the dataset of hash {@code dataset}, with as many gatherings as it takes. */
    TrainingResult train(String dataset) {
        begun = begun == null ? Instant.ofEpochMilli(Workflow.currentTimeMillis()) : begun;
        while (true) {
            String gathering = Integer.toString(++gatherings);
            EnsembleActivity.Hosts there = new Patience(policies, plan.host())
                    .await(p -> Workflow.newActivityStub(EnsembleActivity.class, p.finding(plan.host()))
                            .find(plan.run()));
            goOnAnewIfLong();
            List<String> hosts = there.names().stream()
                    .sorted(Comparator.comparingInt(doubtful::indexOf)) // -1 of those that are not
                    .toList();
            Progress before = ledger.now();
            String why;
            try {
                if (slots.take(gathering, hosts, there.store(), plan.host(), plan.hosts())) {
                    ledger.waiting(null);
                    return together(gathering, dataset);
                }
                why = "%d of %d hosts that it needs are free, of %d that there are%s"
                        .formatted(slots.hosts().size(), plan.hosts(), hosts.size(), slots.refusals());
            } catch (BrokenException e) {
                if (Steering.endedOnRequest(e.why) || isFinal(e)) {
                    throw e.why;
                }
                boolean further = !Objects.equals(before, ledger.now()) && ledger.hasTakenStep();
                inVain = further ? 0 : inVain;
                doubt(e.host);
                why = "the attempt ended: " + reason(e);
            } finally {
                slots.giveBack();
            }
            ledger.waiting(why + "; hosts are gathered anew");
            Workflow.sleep(pause());
        }
    }

    /**
     * Between gatherings, when none of its activities is at work and its host has just answered. The run is gone on with as by who resumes it; histories of before go on in
     * the one that they have.
     */
    private void goOnAnewIfLong() {
        if (Workflow.getInfo().getHistoryLength() >= mostEvents
                && Workflow.getVersion("goes-on-anew", Workflow.DEFAULT_VERSION, 1) > Workflow.DEFAULT_VERSION) {
            Workflow.await(Workflow::isEveryHandlerFinished);
            Workflow.continueAsNew(ledger.goesOn());
        }
    }

    private void doubt(String host) {
        if (!host.equals(plan.host())) { // which must be one of them
            doubtful.remove(host);
            doubtful.add(host);
        }
    }

    /**
     * Two runs that want the same hosts do not ask for them at the same moments for ever; and who waits for a week, or fails each time, asks ever more seldom, so that it fits
     * in a history.
     */
    private Duration pause() {
        long first = policies.heartbeat().toMillis() / 4;
        long least = Math.min(LONGEST_PAUSE.toMillis(), first << Math.min(inVain++, MOST_DOUBLINGS));
        return Duration.ofMillis(least + Workflow.newRandom().nextLong(first + 1));
    }

    private TrainingResult together(String gathering, String dataset) throws BrokenException {
        List<String> others =
                slots.hosts().stream().filter(host -> !host.equals(plan.host())).toList();
        List<Work<?>> work = new ArrayList<>();
        List<Work<TrainingResult>> lead = new ArrayList<>();
        List<BrokenException> first = new ArrayList<>();
        CancellationScope scope = Workflow.newCancellationScope(() -> {
            begin(gathering, dataset, others, work, lead);
            broken(work).ifPresent(first::add);
            if (!first.isEmpty()) {
                Workflow.await(LAST_WORDS, () -> work.stream().allMatch(one -> one.end.isCompleted()));
            }
        });
        try {
            scope.run();
        } catch (CanceledFailure asked) { // by people: what it comes to is what the activities say
            settle(scope, work);
            // one that had failed before, and waited for the others' last words, is not the end that was asked for
            if (lead.isEmpty() || lead.getFirst().failedUnasked()) {
                throw asked;
            }
            return lead.getFirst().end.get();
        }
        Optional<BrokenException> worst =
                failures(work).stream().filter(this::isFinal).findFirst();
        settle(scope, work);
        if (!lead.isEmpty() && !lead.getFirst().failed()) {
            return lead.getFirst().end.get();
        }
        // what cannot be mended counts most, whoever said it first
        throw worst.orElseGet(first::getFirst);
    }

    /** Has all hosts do their part, and returns when training has ended or one has failed. */
    private void begin(
            String gathering,
            String dataset,
            List<String> others,
            List<Work<?>> work,
            List<Work<TrainingResult>> lead) {
        for (String host : others) {
            var there = Workflow.newActivityStub(EnsembleActivity.class, policies.stagingForRanks(host));
            work.add(new Work<>(host, Async.procedure(there::stage, new RanksRequest(plan.run(), dataset, 0, null))));
        }
        Workflow.await(() -> isBroken(work) || work.stream().allMatch(one -> one.end.isCompleted()));
        if (isBroken(work)) {
            return;
        }
        var training = Workflow.newActivityStub(TrainingActivity.class, policies.trainingTogether(plan.host()));
        TrainingRequest request =
                new TrainingRequest(plan.run(), dataset, new Ensemble(gathering, plan.hosts(), begun));
        Promise<TrainingResult> end = Async.function(training::train, request);
        lead.add(new Work<>(plan.host(), end));
        work.addAll(lead);
        Workflow.await(() -> isBroken(work) || end.isCompleted() || isMet(gathering));
        int first = plan.ranksPerHost();
        for (String host : isMet(gathering) ? others : List.<String>of()) {
            var there = Workflow.newActivityStub(EnsembleActivity.class, policies.ranks(host, plan.host()));
            RanksRequest ranks = new RanksRequest(plan.run(), dataset, first, meeting);
            work.add(new Work<>(host, Async.procedure(there::train, ranks)));
            first += plan.ranksPerHost();
        }
        Workflow.await(() -> isBroken(work) || end.isCompleted());
    }

    private boolean isMet(String gathering) {
        return meeting != null && meeting.gathering().equals(gathering);
    }

    private boolean isBroken(List<Work<?>> work) {
        return broken(work).isPresent();
    }

    private Optional<BrokenException> broken(List<Work<?>> work) {
        return failures(work).stream().findFirst().or(() -> slots.lost()
                .map(lost -> new BrokenException(lost.host(), lost.why())));
    }

    private static List<BrokenException> failures(List<Work<?>> work) {
        return work.stream()
                .filter(Work::failed)
                .map(one -> new BrokenException(one.host, (ActivityFailure) one.end.getFailure()))
                .toList();
    }

    /** Ends what is still at work, and waits for its end: nobody of this attempt is at work in the next one. */
    private static void settle(CancellationScope scope, List<Work<?>> work) {
        Workflow.newDetachedCancellationScope(() -> {
                    scope.cancel("another host of this attempt has ended");
                    work.forEach(one -> {
                        RuntimeException _ = one.end.getFailure(); // waits for it
                    });
                })
                .run();
    }

    /**
     * Whether nothing is tried again. What another host refuses may be its own affair, a version or too little memory, until it is asked for want of others; a
     * dataset that the store lacks is made anew.
     */
    private boolean isFinal(BrokenException e) {
        return e.why.getCause() instanceof ApplicationFailure said
                && said.isNonRetryable()
                && (e.host.equals(plan.host())
                        || doubtful.contains(e.host)
                        || said.getType().equals(ActivityStage.DAMAGED_DATASET));
    }

    private static String reason(BrokenException e) {
        return switch (e.why.getCause()) {
            case ApplicationFailure said -> said.getOriginalMessage();
            case TimeoutFailure _
            when Patience.neverBegun(e.why) ->
                "host %s did not begin in time (%s)".formatted(e.host, e.why.getActivityType());
            default -> "host %s was not heard of any more (%s)".formatted(e.host, e.why.getActivityType());
        };
    }
}
