package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class MachineTest {
    @Test
    void anImagesCommitIsTheOneThatItIsTold() {
        assertThat(Machine.commit(Map.of("PACER_COMMIT", " 3f0c1d2e4b5a69788796a5b4c3d2e1f001234567\n")))
                .isEqualTo("3f0c1d2e4b5a69788796a5b4c3d2e1f001234567");
        assertThat(Machine.commit(Map.of("PACER_COMMIT", ""))).isNull();
        assertThat(Machine.commit(Map.of("PACER_COMMIT", "main"))).isNull();
    }
}
