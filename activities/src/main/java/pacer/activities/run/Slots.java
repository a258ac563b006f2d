package pacer.activities.run;

import java.io.IOException;

/** How many runs the hosts of a service train at a time. */
@FunctionalInterface
public interface Slots {
    /** 1 at least. */
    int count() throws IOException;
}
