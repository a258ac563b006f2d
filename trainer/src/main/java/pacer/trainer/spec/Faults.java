package pacer.trainer.spec;

import java.util.ArrayList;
import java.util.List;

/** Gathers faults. A source with very many stops being read: the first hundred say enough. */
final class Faults {

    private static final int MOST = 100;

    private final List<Fault> all = new ArrayList<>();

    void add(Place place, String path, String message) {
        if (!full()) {
            all.add(new Fault(place, path, message));
            if (full()) {
                all.add(new Fault(Place.of(place.source()), "", "more faults follow, not read; mend these first"));
            }
        }
    }

    boolean full() {
        return all.size() >= MOST;
    }

    List<Fault> all() {
        return all;
    }

    void throwIfAny() {
        if (!all.isEmpty()) {
            throw new SpecException(all);
        }
    }
}
