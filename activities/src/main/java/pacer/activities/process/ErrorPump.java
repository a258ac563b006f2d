package pacer.activities.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** Appends what a process says on its standard error to a log, which may be another one later. */
final class ErrorPump {
    private final Thread thread;
    private volatile Path log;

    private ErrorPump(Process process, Path log) {
        this.log = log;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("child-" + process.pid() + "-errors")
                .start(() -> pump(process));
    }

    static ErrorPump begin(Process process, Path log) {
        return new ErrorPump(process, log);
    }

    void to(Path other) {
        log = other;
    }

    /** It ends with the process, when all is written. */
    Thread thread() {
        return thread;
    }

    private void pump(Process process) {
        byte[] piece = new byte[1 << 13];
        try (InputStream errors = process.getErrorStream()) {
            for (int n = errors.read(piece); n >= 0; n = errors.read(piece)) {
                Files.write(log, Arrays.copyOf(piece, n), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            }
        } catch (IOException e) {
            return; // the pipe broke with the process, or the disk is full: the run itself will say so
        }
    }
}
