package pacer.workflows.cli;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** What Ctrl-C does to a run: the first asks for an end with a checkpoint, the second ends at once. */
final class StopSignals implements AutoCloseable {
    private final List<Signals.Taken> taken;

    private StopSignals(List<Signals.Taken> taken) {
        this.taken = taken;
    }

    /**
     * Listens until it is closed.
     *
     * @param ask asks for the end; it may take its time
     * @param goOn how to go on with the run later
     */
    static StopSignals listen(RunView view, Runnable ask, String goOn) {
        AtomicInteger heard = new AtomicInteger();
        IntConsumer stop = number -> {
            if (heard.getAndIncrement() == 0) {
                view.say("● stopping after this step, with a checkpoint; Ctrl-C again ends at once");
                Thread.ofVirtual().start(ask); // must not hold up the next signal
            } else {
                view.say("ended at once; go on with: " + goOn);
                Runtime.getRuntime().halt(128 + number);
            }
        };
        return new StopSignals(List.of(
                Signals.on("INT", () -> stop.accept(2)),
                Signals.on("TERM", () -> stop.accept(15)),
                Signals.on("HUP", () -> stop.accept(1))));
    }

    @Override
    public void close() {
        taken.forEach(Signals.Taken::close);
    }
}
