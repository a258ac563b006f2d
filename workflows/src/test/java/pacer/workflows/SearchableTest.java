package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** When a namespace is asked for search attributes. */
class SearchableTest {
    private final List<String> complaints = new ArrayList<>();
    private final Map<String, String> there = new HashMap<>(SearchAttributes.types());
    private boolean silent;
    private int asked;
    private long seconds;
    private final Searchable searchable =
            new Searchable(this::answer, () -> Duration.ofSeconds(seconds).toNanos(), complaints::add);

    private Map<String, String> answer() throws IOException {
        asked++;
        if (silent) {
            throw new IOException("no answer within 5 s");
        }
        return there;
    }

    @Test
    void aServiceThatWasSlowOnceIsAskedAgain() {
        silent = true;
        assertThat(searchable.now()).isFalse();
        silent = false;
        assertThat(searchable.now()).as("at once").isFalse();
        assertThat(asked).isEqualTo(1);
        seconds = 30;

        assertThat(searchable.now()).isTrue();
        seconds = 3000;
        assertThat(searchable.now()).isTrue();
        assertThat(asked).as("once it has them, it keeps them").isEqualTo(2);
    }

    @Test
    void whatIsMissingIsSaidOnce() {
        there.remove("PacerStep");
        there.put("PacerVerdict", "Text");
        for (; seconds < 300; seconds += 60) {
            assertThat(searchable.now()).isFalse();
        }
        assertThat(asked).isEqualTo(5);
        assertThat(complaints)
                .singleElement()
                .asString()
                .endsWith(": PacerStep, PacerVerdict; pacer doctor says how to make them");
    }
}
