package pacer.trainer.checkpoint;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which process, beyond doubt: ids are used again, so its start belongs to it.
 *
 * @param machine name of the machine (or container), and of its boot where the system has one
 * @param pid process id
 * @param start when it started. On Linux in clock ticks since boot, which no change of the clock moves; elsewhere a time
 */
record ProcessIdentity(String machine, long pid, String start) {

    static ProcessIdentity current() {
        long pid = ProcessHandle.current().pid();
        return new ProcessIdentity(thisMachine(), pid, startOf(pid).orElse("unknown"));
    }

    /** Whether this very process runs on this machine. */
    boolean isRunning() {
        return machine.equals(thisMachine())
                && startOf(pid).filter(start::equals).isPresent();
    }

    /** When process {@code pid} of this machine started; empty when there is none, or only its unreaped remains. */
    private static Optional<String> startOf(long pid) {
        Path stat = Path.of("/proc/" + pid + "/stat");
        if (!Files.exists(Path.of("/proc/self/stat"))) {
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .flatMap(p -> p.info().startInstant())
                    .map(Object::toString);
        }
        try {
            // pid (name, which may hold anything) state … ; see proc(5): state is field 3, starttime field 22
            String text = Files.readString(stat, java.nio.charset.StandardCharsets.ISO_8859_1);
            String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
            boolean over = fields[0].equals("Z") || fields[0].equals("X");
            return over ? Optional.empty() : Optional.of(fields[22 - 3]);
        } catch (IOException e) {
            return Optional.empty(); // gone, or hidden from us: in both cases not one we could end
        }
    }

    private static String thisMachine() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip() + "/"
                    + Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
                            .strip();
        } catch (IOException e) {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException unnamed) {
                return "localhost";
            }
        }
    }

    @Override
    public String toString() {
        return "process " + pid + " on " + machine.replaceFirst("/.*", "");
    }
}
