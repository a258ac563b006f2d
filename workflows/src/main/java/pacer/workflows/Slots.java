package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import pacer.activities.training.EnsembleActivity;
import pacer.activities.training.SlotHeld;

/**
 * Slots for training of several hosts, all or none of them. They are asked for one after the other in the order of hosts' names, each for a moment only, and given
 * back where they are too few: so runs that want the same hosts neither wait for each other for ever nor keep idle what others could use.
 */
final class Slots {
    /** A slot that is held, or asked for. */
    private record Slot(String host, CancellationScope scope, Promise<Void> end) {}

    private final Policies policies;
    private final String run;
    private final Set<SlotHeld> told = new HashSet<>();
    private final List<Slot> slots = new ArrayList<>();
    private String gathering = "";

    Slots(Policies policies, String run) {
        this.policies = policies;
        this.run = run;
    }

    /** A host says that its slot is held. */
    void held(SlotHeld slot) {
        told.add(slot);
    }

    /**
     * Takes the slots of {@code wanted} of {@code hosts}.
     *
     * @param hosts in order
     * @param own which must be one of them
     * @return whether that many were free
     */
    boolean take(String gathering, List<String> hosts, String own, int wanted) {
        this.gathering = gathering;
        for (String host : hosts) {
            boolean ownIsHeld = slots.stream().anyMatch(slot -> slot.host.equals(own));
            boolean enough = slots.size() == wanted - (ownIsHeld ? 0 : 1);
            if (host.equals(own) || !enough) {
                boolean taken = take(host);
                if (!taken && host.equals(own)) {
                    return false;
                }
            }
        }
        return slots.size() == wanted;
    }

    private boolean take(String host) {
        EnsembleActivity there = Workflow.newActivityStub(EnsembleActivity.class, policies.holding(host));
        List<Promise<Void>> asked = new ArrayList<>();
        CancellationScope scope =
                Workflow.newCancellationScope(() -> asked.add(Async.procedure(there::hold, run, gathering)));
        scope.run();
        Slot slot = new Slot(host, scope, asked.getFirst());
        slots.add(slot);
        SlotHeld awaited = new SlotHeld(gathering, host);
        Workflow.await(() -> told.contains(awaited) || slot.end.isCompleted());
        if (slot.end.isCompleted()) {
            slots.remove(slot);
        }
        return !slot.end.isCompleted();
    }

    /** Hosts whose slots are held, in order. */
    List<String> hosts() {
        return slots.stream().map(Slot::host).toList();
    }

    /** Why a slot is no longer held; empty while all are. */
    Optional<ActivityFailure> lost() {
        return slots.stream()
                .filter(slot -> slot.end.isCompleted())
                .map(slot -> (ActivityFailure) slot.end.getFailure())
                .findFirst();
    }

    boolean isComplete() {
        return slots.stream().noneMatch(slot -> slot.end.isCompleted());
    }

    /** Gives all back, and waits until they are. */
    void giveBack() {
        Workflow.newDetachedCancellationScope(() -> {
                    slots.forEach(slot -> slot.scope.cancel("the slot is given back"));
                    slots.forEach(slot -> {
                        RuntimeException _ = slot.end.getFailure(); // waits for it
                    });
                })
                .run();
        slots.clear();
        told.clear();
    }
}
