package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunRecordTest {
    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final Environment A = machine("a");
    private static final Environment B = machine("b");

    private final RunRecord run =
            new RunRecord("r", "p", "f00d", null, RunStatus.RUNNING, NOON, null, "w", A, List.of(), null, null);

    private static Environment machine(String host) {
        return new Environment(host, "cpu", 2, 1, "os", "jvm", "0", null, false);
    }

    private static List<String> told(RunRecord run) {
        return run.trainedOn().stream()
                .map(t -> t.environment().host() + " from " + t.fromStep())
                .toList();
    }

    @Test
    void attemptsOnOneMachineAreOneEntry() {
        assertThat(run.trainedIn()).isEqualTo(A);
        RunRecord trained = run.trainingIn(B, 0, NOON).trainingIn(B, 100, NOON).trainingIn(B, 100, NOON);
        assertThat(told(trained)).containsExactly("b from 0");
        assertThat(trained.trainedIn()).isEqualTo(B);
    }

    @Test
    void whatWasLostDoesNotCount() {
        RunRecord there = run.trainingIn(A, 0, NOON).trainingIn(B, 100, NOON);
        assertThat(told(there)).containsExactly("a from 0", "b from 100");
        assertThat(told(there.trainingIn(A, 100, NOON))).as("b got nowhere").containsExactly("a from 0");
        assertThat(told(there.trainingIn(A, 200, NOON))).containsExactly("a from 0", "b from 100", "a from 200");
        assertThat(told(run.trainingIn(A, 0, NOON).trainingIn(B, 0, NOON))).containsExactly("b from 0");
    }

    @Test
    void whereItWasTrainedOutlivesEverythingElse() throws Exception {
        RunRecord trained = run.trainingIn(B, 0, NOON);
        RunRecord later =
                trained.begun("w2", A).ended(RunStatus.STOPPED, NOON, null, "x").judged(null);
        assertThat(later.trainedIn()).isEqualTo(B);
        String json = RunJson.MAPPER.writeValueAsString(later);
        assertThat(RunJson.MAPPER.readValue(json, RunRecord.class)).isEqualTo(later);
        String old = json.replaceFirst(",?\"trainedOn\":\\[.*?\\]", "");
        assertThat(RunJson.MAPPER.readValue(old, RunRecord.class).trainedIn()).isEqualTo(A);
    }
}
