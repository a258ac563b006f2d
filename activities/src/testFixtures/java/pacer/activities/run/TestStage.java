package pacer.activities.run;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A stage's surroundings in tests: keeps what it is told, stops when told to. */
public final class TestStage implements StageContext {
    public final List<String> notices = new CopyOnWriteArrayList<>();
    public final List<Progress> progress = new CopyOnWriteArrayList<>();
    public volatile Stop stop = Stop.NONE;
    public volatile String unfit;

    @Override
    public void progress(Progress newest) {
        progress.add(newest);
    }

    @Override
    public void notice(String text) {
        notices.add(text);
    }

    @Override
    public Stop stop() {
        return stop;
    }

    @Override
    public Optional<String> unfit() {
        return Optional.ofNullable(unfit);
    }
}
