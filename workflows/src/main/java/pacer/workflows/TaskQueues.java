package pacer.workflows;

import java.util.Locale;

/** Names of the task queues. */
final class TaskQueues {
    /** Workflows: any worker of role control. The opening of runs, and the naming of datasets: any of role host. */
    static final String CONTROL = "control";

    /** Parts of datasets: any worker of role host that has a store. */
    static final String SHARED_DATA = "data";

    /** What is told of runs whose host is gone: any worker of role control. That queue of theirs has activities that only hosts know. */
    static final String NOTICES = "notices";

    private TaskQueues() {}

    /** Work on the folders and the cache of {@code host}. */
    static String data(String host) {
        return "data-" + plain(host);
    }

    /** Training on {@code host}: one at a time. */
    static String train(String host) {
        return "train-" + plain(host);
    }

    /** Whether {@code host} is there: apart from its work, so that a host whose slots are all taken answers at once. */
    static String alive(String host) {
        return "alive-" + plain(host);
    }

    private static String plain(String host) {
        return host.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.-]", "-");
    }
}
