package pacer.activities.process;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Ends the children when this JVM ends in order: asked first, so that a trainer can write a checkpoint, then killed. */
final class Shutdown {
    private static final long GRACE_SECONDS = 20;
    private static final Set<Process> LIVE = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(Shutdown::endAll, "children-shutdown"));
    }

    private Shutdown() {}

    static Process register(Process process) {
        LIVE.add(process);
        var _ = process.onExit().thenAccept(LIVE::remove);
        return process;
    }

    private static void endAll() {
        LIVE.forEach(process -> process.toHandle().destroy());
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(GRACE_SECONDS);
        for (Process process : LIVE) {
            try {
                process.waitFor(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                break;
            }
        }
        LIVE.forEach(process -> process.toHandle().destroyForcibly());
    }
}
