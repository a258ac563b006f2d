package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
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
 * Slots for training of several hosts, all or none of them. They are asked for one after the other, each for a moment only, and given
 * back where they are too few: so runs that want the same hosts neither wait for each other for ever nor keep idle what others could use.
 */
final class Slots {
    /** A slot that is held, or asked for. */
    private record Slot(String host, CancellationScope scope, Promise<Void> end) {}

    private final Policies policies;
    private final String run;
    private final Set<SlotHeld> told = new HashSet<>();
    private final List<Slot> slots = new ArrayList<>();
    private final List<String> refusals = new ArrayList<>();
    private String gathering = "";
    private String store = "";

    Slots(Policies policies, String run) {
        this.policies = policies;
        this.run = run;
    }

    /** A slot that is held no longer, and why. */
    record Lost(String host, ActivityFailure why) {}

    /** A host says that its slot is held. */
    void held(SlotHeld slot) {
        told.add(slot);
    }

    /**
     * Takes the slots of {@code wanted} of {@code hosts}.
     *
     * @param hosts in the order in which they are asked
     * @param store place of the store that they must share
     * @param own which must be one of them
     * @return whether that many were free
     */
    boolean take(String gathering, List<String> hosts, String store, String own, int wanted) {
        this.gathering = gathering;
        this.store = store;
        refusals.clear();
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
        // not cancelled with training, which needs its slots until it has ended
        CancellationScope scope = Workflow.newDetachedCancellationScope(
                () -> asked.add(Async.procedure(there::hold, run, gathering, store)));
        scope.run();
        Slot slot = new Slot(host, scope, asked.getFirst());
        slots.add(slot);
        SlotHeld awaited = new SlotHeld(gathering, host);
        Workflow.await(() -> told.contains(awaited) || slot.end.isCompleted());
        if (slot.end.isCompleted()) {
            slots.remove(slot);
            if (slot.end.getFailure().getCause() instanceof ApplicationFailure said) {
                refusals.add(said.getOriginalMessage());
            }
        }
        return !slot.end.isCompleted();
    }

    /** Hosts whose slots are held, in order. */
    List<String> hosts() {
        return slots.stream().map(Slot::host).toList();
    }

    /** What hosts that cannot take part have said, for people; empty where none has. */
    String refusals() {
        return refusals.isEmpty() ? "" : " (" + String.join("; ", refusals) + ")";
    }

    /** The first slot that is no longer held; empty while all are. */
    Optional<Lost> lost() {
        return slots.stream()
                .filter(slot -> slot.end.isCompleted())
                .map(slot -> new Lost(slot.host, (ActivityFailure) slot.end.getFailure()))
                .findFirst();
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
