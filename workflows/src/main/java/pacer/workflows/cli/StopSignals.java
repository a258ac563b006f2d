package pacer.workflows.cli;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
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
     * @param say shows a line
     * @param ask asks for the end; it may take its time
     * @param goOn how to go on with the run later
     */
    static StopSignals listen(Consumer<String> say, Runnable ask, String goOn) {
        AtomicInteger heard = new AtomicInteger();
        IntConsumer stop = number -> {
            if (heard.getAndIncrement() == 0) {
                say.accept("● stopping, a training after this step with a checkpoint; Ctrl-C again ends at once");
                Thread.ofVirtual().start(ask); // must not hold up the next signal
            } else {
                say.accept("ended at once; go on with: " + goOn);
                Runtime.getRuntime().halt(128 + number);
            }
        };
        return new StopSignals(List.of(
                Signals.on("INT", () -> stop.accept(2)),
                Signals.on("TERM", () -> stop.accept(15)),
                Signals.on("HUP", () -> stop.accept(1))));
    }

    /**
     * Listens for a process that only follows a run: others work on it, so only a person at the keyboard means the run itself,
     * and what ends this process otherwise, a closed terminal or the system, does not.
     *
     * @param detach ends the following, at the signal of this number
     */
    static StopSignals listenFromAfar(Consumer<String> say, Runnable ask, IntConsumer detach, String follow) {
        AtomicInteger heard = new AtomicInteger();
        IntConsumer leave = number -> {
            say.accept("no longer followed; the run goes on at the service; follow it again with: " + follow);
            detach.accept(number);
        };
        Runnable stop = () -> {
            if (heard.getAndIncrement() == 0) {
                say.accept("● stopping the run on the service, with a checkpoint; Ctrl-C again only ends following it");
                Thread.ofVirtual().start(ask);
            } else {
                leave.accept(2);
            }
        };
        return new StopSignals(List.of(
                Signals.on("INT", stop),
                Signals.on("TERM", () -> leave.accept(15)),
                Signals.on("HUP", () -> leave.accept(1))));
    }

    @Override
    public void close() {
        taken.forEach(Signals.Taken::close);
    }
}
