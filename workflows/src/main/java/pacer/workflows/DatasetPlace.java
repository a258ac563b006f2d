package pacer.workflows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pacer.trainer.spec.RunSpec;

/** Where the text of a run lies: a path that is relative means another file to a worker, or to who resumes, elsewhere. */
final class DatasetPlace {
    private static final String URL = "dataset.url";
    private static final String FILE = "file:";

    private DatasetPlace() {}

    /** {@code sets}, on top of which {@code spec} came about, with an absolute path in place of a relative one. */
    static List<String> absolute(RunSpec spec, List<String> sets) {
        String url = spec.dataset().url();
        if (!url.startsWith(FILE) || url.startsWith(FILE + "/")) {
            return sets;
        }
        Path path = Path.of(url.substring(FILE.length())).toAbsolutePath().normalize();
        List<String> changed = new ArrayList<>(sets);
        changed.removeIf(set -> set.startsWith(URL + "="));
        changed.add(URL + "='" + (FILE + path).replace("'", "''") + "'");
        return changed;
    }
}
