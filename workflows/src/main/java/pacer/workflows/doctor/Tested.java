package pacer.workflows.doctor;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/** Versions of the servers that pacer is tested with, as {@code infra/local/install} and {@code infra/compose.yaml} name them. */
enum Tested {
    TEMPORAL("1.32.0"),
    MLFLOW("3.17.2"),
    PROMETHEUS("2.42.0"),
    /** By its documentation only. */
    GRAFANA("11.0.0");

    private final String version;

    Tested(String version) {
        this.version = version;
    }

    String version() {
        return version;
    }

    /** What to say of {@code found} where it is older; empty where it is as new, or no version that can be compared. */
    Optional<String> olderThanThis(String found) {
        int[] theirs = numbers(found);
        int[] ours = numbers(version);
        boolean older = theirs.length >= 2 && Arrays.compare(theirs, ours) < 0;
        return older ? Optional.of("older than " + version + ", with which pacer is tested") : Optional.empty();
    }

    private static int[] numbers(String version) {
        String digits = version.strip().replaceFirst("^v", "").replaceFirst("[^0-9.].*$", "");
        return Stream.of(digits.split("\\.", -1))
                .filter(part -> part.matches("[0-9]{1,6}"))
                .mapToInt(Integer::parseInt)
                .toArray();
    }
}
