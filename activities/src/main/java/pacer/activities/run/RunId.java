package pacer.activities.run;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.regex.Pattern;

/** Names of runs: {@code quickstart-20261122-150203}. */
public final class RunId {
    private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,119}");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneId.systemDefault());

    private RunId() {}

    /** A name for a run of {@code preset} begun at {@code time}; {@code attempt} above 1 tells equal ones apart. */
    public static String of(String preset, Instant time, int attempt) {
        String id = preset + "-" + TIME.format(time);
        return attempt == 1 ? id : id + "-" + attempt;
    }

    /** Whether {@code id} can be a folder's name. */
    public static boolean isOne(String id) {
        return id != null && ALLOWED.matcher(id).matches();
    }

    /**
     * {@code id} itself, if it can be a folder's name.
     *
     * @throws IllegalArgumentException otherwise, with the rule
     */
    public static String check(String id) {
        if (!isOne(id)) {
            throw new IllegalArgumentException(
                    "run id '" + id
                            + "': a run is named by up to 120 letters, digits, dots, dashes and underscores, the first a letter or digit");
        }
        return id;
    }
}
