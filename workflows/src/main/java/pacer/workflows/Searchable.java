package pacer.workflows;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Whether runs may be given pacer's search attributes. Setting one that the namespace lacks, or has of another type, would hold up every run; so it is asked
 * until it has them all, now and then, as runs are opened: a service that was slow once, and attributes made later, cost the runs until then at most.
 */
final class Searchable {
    /** Many runs may be opened at once, and each would wait for an answer. */
    private static final Duration PAUSE = Duration.ofSeconds(30);

    private final Namespace namespace;
    private final LongSupplier nanos;
    private final Consumer<String> complaints;
    private boolean known;
    private boolean said;
    private Long asked; // nanoseconds; null before

    /** Who is asked. */
    @FunctionalInterface
    interface Namespace {
        /** Types of its search attributes by name. */
        Map<String, String> searchAttributes() throws IOException;
    }

    /** @param complaints hears once why runs are not found by them */
    Searchable(Namespace namespace, LongSupplier nanos, Consumer<String> complaints) {
        this.namespace = namespace;
        this.nanos = nanos;
        this.complaints = complaints;
    }

    /** Of the namespace of {@code connection}; a service inside this process has no such attributes. */
    static Searchable of(TemporalConnection connection, Consumer<String> complaints) {
        Namespace namespace = connection.isEmbedded() ? Map::of : connection.survey()::searchAttributes;
        return new Searchable(namespace, System::nanoTime, connection.isEmbedded() ? _ -> {} : complaints);
    }

    /** Takes some seconds at most. */
    synchronized boolean now() {
        if (!known && (asked == null || nanos.getAsLong() - asked >= PAUSE.toNanos())) {
            known = ask();
            asked = nanos.getAsLong();
        }
        return known;
    }

    private boolean ask() {
        try {
            Map<String, String> lacking = new TreeMap<>(SearchAttributes.types());
            lacking.entrySet().removeAll(namespace.searchAttributes().entrySet());
            if (lacking.isEmpty()) {
                return true;
            }
            complain("the namespace has not all search attributes, each of its type: "
                    + String.join(", ", lacking.keySet()) + "; pacer doctor says how to make them");
        } catch (IOException e) {
            complain("the service did not say which search attributes it has: " + e.getMessage());
        }
        return false;
    }

    private void complain(String why) {
        if (!said) {
            said = true;
            complaints.accept(
                    "runs are not found by preset, loss, commit, verdict until it is otherwise, which is asked as runs are opened: "
                            + why);
        }
    }
}
