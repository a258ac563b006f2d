package pacer.workflows;

import io.temporal.client.WorkflowStub;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import pacer.activities.run.RunUpdate;

/** Of several runs at work, the one that began last: what it says is what people see. */
final class NewestRun {
    private final Function<String, WorkflowStub> workflows;
    private Optional<RemoteProgress> newest = Optional.empty();
    private String shown = "";

    /** @param workflows those of a service, by id */
    NewestRun(Function<String, WorkflowStub> workflows) {
        this.workflows = workflows;
    }

    /** Tells what it says; {@code working} are workflow ids of those at work. */
    void poll(List<String> working, Consumer<RunUpdate> listener) {
        String last = working.isEmpty() ? "" : working.getLast();
        if (!last.equals(shown)) {
            shown = last;
            newest = last.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new RemoteProgress(workflows.apply(last), System::nanoTime));
        }
        newest.ifPresent(remote -> remote.poll(listener));
    }
}
