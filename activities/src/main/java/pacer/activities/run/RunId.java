package pacer.activities.run;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.regex.Pattern;

/** Names of runs: {@code quickstart-20261122-150203}. */
public final class RunId {
    private static final int MOST = 120;
    private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (MOST - 1) + "}");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneId.systemDefault());

    private RunId() {}

    /** A name for a run of {@code preset} begun at {@code time}; {@code attempt} above 1 tells equal ones apart. */
    public static String of(String preset, Instant time, int attempt) {
        String id = preset + "-" + TIME.format(time);
        return attempt == 1 ? id : id + "-" + attempt;
    }

    /**
     * The name of what the workflow {@code id} is for, runs or an attempt at a record: ids of workflows may be anything, a folder's name may not.
     *
     * @param otherwise where nothing of the id can be in a name
     */
    public static String ofWorkflow(String id, String otherwise) {
        String name = id.replaceAll("[^A-Za-z0-9._-]", "-").replaceAll("^[^A-Za-z0-9]+", "");
        return name.isEmpty() ? otherwise : name.substring(0, Math.min(MOST, name.length()));
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
