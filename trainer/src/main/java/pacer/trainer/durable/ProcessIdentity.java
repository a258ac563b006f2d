package pacer.trainer.durable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * A process that can be found again after the one that started it died. Process ids are given out anew, so its start belongs
 * to it.
 *
 * @param machine name of the machine (or container), and of its boot where the system has one
 * @param pid process id
 * @param start when it started. On Linux in clock ticks since boot, which no change of the clock moves; elsewhere a time
 */
public record ProcessIdentity(String machine, long pid, String start) {

    public ProcessIdentity {
        // what another version of pacer wrote down may lack a part: that is no process that could be found
        machine = Objects.requireNonNullElse(machine, "unknown");
        start = Objects.requireNonNullElse(start, "unknown");
    }

    /** This process. */
    public static ProcessIdentity current() {
        ProcessHandle self = ProcessHandle.current();
        return of(self).orElse(new ProcessIdentity(thisMachine(), self.pid(), null));
    }

    /** The identity of a live process of this machine; empty when it is gone. */
    public static Optional<ProcessIdentity> of(ProcessHandle process) {
        return startOf(process).map(start -> new ProcessIdentity(thisMachine(), process.pid(), start));
    }

    /** The process, if it lives, on this machine, and is the same one. */
    public Optional<ProcessHandle> find() {
        if (!machine.equals(thisMachine())) {
            return Optional.empty();
        }
        return ProcessHandle.of(pid)
                .filter(ProcessHandle::isAlive)
                .filter(process -> startOf(process).filter(start::equals).isPresent());
    }

    private static String thisMachine() {
        return Host.name() + Host.boot().map(boot -> "/" + boot).orElse("");
    }

    /** When a process of this machine started; empty when it is gone, or only its unreaped remains are there. */
    private static Optional<String> startOf(ProcessHandle process) {
        if (!Files.exists(Path.of("/proc/self/stat"))) {
            return process.info().startInstant().map(Object::toString);
        }
        try {
            // pid (name, which may hold anything) state … ; see proc(5): state is field 3, starttime field 22
            String text = Files.readString(Path.of("/proc/" + process.pid() + "/stat"), StandardCharsets.ISO_8859_1);
            String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
            boolean over = fields[0].equals("Z") || fields[0].equals("X"); // only its exit code is left
            return over ? Optional.empty() : Optional.of(fields[22 - 3]);
        } catch (IOException e) {
            return Optional.empty(); // gone, or hidden from us: in both cases not one we could end
        }
    }

    @Override
    public String toString() {
        return "process " + pid + " on " + machine.replaceFirst("/.*", "");
    }
}
