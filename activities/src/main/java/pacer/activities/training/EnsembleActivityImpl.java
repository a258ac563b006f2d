package pacer.activities.training;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Stage;
import pacer.activities.staging.Staging;
import pacer.activities.store.Store;
import pacer.trainer.durable.Host;

/**
 * This host among several that train one run.
 *
 * @param store that hosts share; empty where this one has none, which then cannot be one of several
 * @param others finds the hosts of the service
 */
public record EnsembleActivityImpl(
        HostRanks ranks, Staging staging, Optional<Store> store, HostFinder others, ActivityStage activity)
        implements EnsembleActivity {
    private static final long LOOK_MILLIS = 200;

    /** Finds hosts. */
    @FunctionalInterface
    public interface HostFinder {
        /**
         * Names of the hosts that ask the service for work and have a store, this one among them; in order.
         *
         * @throws BadInputException where the service has no other hosts
         */
        List<String> find() throws IOException;
    }

    @Override
    public Hosts find(String run) {
        return activity.work(Stage.TRAIN, null, false, context -> {
            String place = requireStore();
            ranks.requireAble(context);
            return new Hosts(others.find(), place);
        });
    }

    @Override
    public void hold(String run, String gathering, String store) {
        Void _ = activity.work(Stage.TRAIN, null, false, context -> {
            String own = requireStore();
            if (!own.equals(store)) {
                throw new BadInputException(
                        "host %s has store %s, the run's host %s: hosts that train together share one (PACER_STORE)"
                                .formatted(Host.name(), own, store));
            }
            ranks.requireAble(context);
            ActivityStage.signal(HELD_SIGNAL, new SlotHeld(gathering, Host.name()));
            while (true) {
                context.check();
                Thread.sleep(LOOK_MILLIS);
            }
        });
    }

    @Override
    public void stage(RanksRequest request) {
        Void _ = activity.work(Stage.TRAIN, null, false, context -> {
            staging.stageForRanks(request.dataset(), request.run(), context);
            return null;
        });
    }

    @Override
    public void train(RanksRequest request) {
        Void _ = activity.work(Stage.TRAIN, null, false, context -> {
            ranks.train(request, context);
            return null;
        });
    }

    private String requireStore() {
        return store.map(there -> there.place().toString())
                .orElseThrow(() -> new BadInputException("train.hosts: host " + Host.name()
                        + " has no store (PACER_STORE); hosts that train together share one"));
    }
}
