package pacer.activities.host;

import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Whether this host may compute. The first {@link Xid} that it must be drained for makes it unfit, until its worker is started again: nobody but who has
 * looked at the GPU knows that it is well.
 */
public final class HostHealth {
    private final TreeMap<Errors, Long> counts = new TreeMap<>();
    private final List<Consumer<String>> listeners = new CopyOnWriteArrayList<>();
    private volatile String unfit; // null while it is fit

    /**
     * Xids of one kind.
     *
     * @param code the Xid's number
     * @param draining whether they drain a host
     */
    public record Errors(int code, boolean draining) implements Comparable<Errors> {
        @Override
        public int compareTo(Errors other) {
            int byCode = Integer.compare(code, other.code);
            return byCode != 0 ? byCode : Boolean.compare(draining, other.draining);
        }
    }

    /** How many of them were seen. */
    public record Count(Errors errors, long number) {}

    /** {@code listener} hears, once, why this host is unfit, before anything else does. */
    public void onUnfit(Consumer<String> listener) {
        listeners.add(listener);
    }

    /** From now on errors are looked for, so that there are none is worth saying: counts of what drains a host begin at 0. */
    public synchronized void watched() {
        Xid.draining().keySet().forEach(code -> counts.putIfAbsent(new Errors(code, true), 0L));
    }

    /** Takes a line of the kernel's log. */
    public void see(String line) {
        Optional<Xid> found = Xid.in(line);
        if (found.isEmpty()) {
            return;
        }
        Xid xid = found.get();
        Optional<String> why = xid.why();
        synchronized (this) {
            counts.merge(new Errors(xid.code(), why.isPresent()), 1L, Long::sum);
            if (why.isEmpty() || unfit != null) {
                return;
            }
        }
        String reason = "Xid %d of GPU %s: %s".formatted(xid.code(), xid.device(), why.get());
        listeners.forEach(listener -> listener.accept(reason));
        unfit = reason;
    }

    /** Why this host must not compute any more. */
    public Optional<String> unfit() {
        return Optional.ofNullable(unfit);
    }

    /** Errors of GPUs that were seen, by kind; empty where nobody looks for them. */
    public synchronized List<Count> counts() {
        return counts.entrySet().stream()
                .map(entry -> new Count(entry.getKey(), entry.getValue()))
                .toList();
    }
}
