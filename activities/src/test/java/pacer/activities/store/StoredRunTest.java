package pacer.activities.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class StoredRunTest {
    private static List<Integer> obsolete(List<Integer> kept, Integer... stored) {
        SortedMap<Integer, String> manifests = new TreeMap<>();
        Arrays.stream(stored).forEach(step -> manifests.put(step, "digest"));
        return StoredRun.obsolete(manifests, kept);
    }

    @Test
    void theStoreLetsGoOfWhatRetentionHasLetGo() {
        assertThat(obsolete(List.of(60, 70), 50, 60, 70)).containsExactly(50);
        assertThat(obsolete(List.of(20, 60, 70), 20, 40, 50, 60, 70)).containsExactly(40, 50);
        assertThat(obsolete(List.of(60, 70), 60, 70)).isEmpty();
    }

    @Test
    void aStoreThatIsSlowerThanTrainingKeepsWhatItHasUntilSomethingNewerIsThere() {
        assertThat(obsolete(List.of(60, 70), 10, 50)).isEmpty();
        assertThat(obsolete(List.of(80, 90), 10, 50, 70)).containsExactly(10);
        assertThat(obsolete(List.of(80, 90), 50, 70, 90)).containsExactly(50);
    }

    @Test
    void whatIsNewerThanAnythingHereIsLeftAlone() {
        assertThat(obsolete(List.of(60, 70), 60, 70, 80)).isEmpty();
        assertThat(obsolete(List.of(), 60, 70)).isEmpty();
    }
}
