package pacer.activities.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import pacer.activities.run.Machine;

/**
 * A process that can be found again after the one that started it died. Process ids are given out anew, so the start counts
 * too: on Linux in clock ticks since a certain boot, which no change of the clock touches; elsewhere as a time.
 */
public record ProcessIdentity(String host, long pid, String start) {
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");

    /** The identity of a live process of this machine; empty when it is gone. */
    public static Optional<ProcessIdentity> of(ProcessHandle process) {
        return start(process).map(start -> new ProcessIdentity(Machine.hostName(), process.pid(), start));
    }

    /** The process, if it lives and is the same one. */
    public Optional<ProcessHandle> find() {
        if (!host.equals(Machine.hostName())) {
            return Optional.empty();
        }
        return ProcessHandle.of(pid)
                .filter(ProcessHandle::isAlive)
                .filter(process -> start(process).filter(start::equals).isPresent());
    }

    private static Optional<String> start(ProcessHandle process) {
        Path stat = Path.of("/proc", Long.toString(process.pid()), "stat");
        if (!Files.exists(BOOT)) {
            return process.info().startInstant().map(time -> "at " + time);
        }
        try {
            String line = Files.readString(stat, StandardCharsets.ISO_8859_1);
            // fields after the command, which is in parentheses and may hold anything; the 20th of them is starttime
            String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
            boolean over = fields[0].equals("Z") || fields[0].equals("X"); // only its exit code is left
            return over ? Optional.empty() : Optional.of(Files.readString(BOOT).strip() + " " + fields[19]);
        } catch (IOException e) {
            return Optional.empty(); // gone
        }
    }
}
