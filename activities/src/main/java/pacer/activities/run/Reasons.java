package pacer.activities.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;
import java.util.regex.Pattern;

/** What a failure says to people: Java's file errors often say no more than the file's name. */
public final class Reasons {
    /** What the system says of faults that stay until somebody changes something. */
    private static final Pattern LASTING =
            Pattern.compile("permission denied|not a directory|read-only file system|operation not permitted"
                    + "|no locks available|function not implemented");

    private Reasons() {}

    /** Why {@code e} happened: rule and file, and the cause's own words where {@code e} leaves them out. */
    public static String of(Throwable e) {
        return switch (e) {
            case FileSystemException file when file.getFile() != null -> rule(file) + ": " + file.getFile();
            case UncheckedIOException io -> of(io.getCause());
            default -> withCause(e);
        };
    }

    private static String withCause(Throwable e) {
        String own = e.getMessage() == null || e.getMessage().isBlank()
                ? e.getClass().getSimpleName()
                : e.getMessage();
        Throwable cause = e.getCause();
        if (cause == null || cause == e || (cause.getMessage() != null && own.contains(cause.getMessage()))) {
            return own;
        }
        String why = of(cause);
        return own.contains(why) ? own : own + " (" + why + ")";
    }

    private static String rule(FileSystemException e) {
        String rule =
                switch (e) {
                    case AccessDeniedException _ -> "permission denied";
                    case NoSuchFileException _ -> "no such file or folder";
                    case NotDirectoryException _ -> "not a directory";
                    case FileAlreadyExistsException _ -> "there is something of that name already";
                    default -> e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
                };
        return e.getReason() == null || e.getReason().equalsIgnoreCase(rule)
                ? rule.substring(0, 1).toLowerCase(Locale.ROOT) + rule.substring(1)
                : rule + " (" + e.getReason() + ")";
    }

    /** Whether {@code e} is a fault of files that no further attempt mends by itself. */
    public static boolean lasting(Throwable e) {
        for (Throwable at = e; at != null; at = at.getCause()) {
            boolean denied = at instanceof AccessDeniedException || at instanceof NotDirectoryException;
            boolean said = at instanceof IOException
                    && LASTING.matcher(String.valueOf(at.getMessage()).toLowerCase(Locale.ROOT))
                            .find();
            if (denied || said) {
                return true;
            }
        }
        return false;
    }
}
