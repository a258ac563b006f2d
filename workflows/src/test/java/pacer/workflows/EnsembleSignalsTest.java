package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;
import pacer.activities.training.Meeting;
import pacer.activities.training.SlotHeld;

/** Signals of hosts that train together, to a run that has one: anybody who may signal may send them. */
class EnsembleSignalsTest {
    @Test
    void aRunOfOneHostPassesOverThem() {
        TrainPipeline alone = new TrainPipelineImpl(Policies.standard());
        assertThatCode(() -> alone.held(new SlotHeld("1", "h2"))).doesNotThrowAnyException();
        assertThatCode(() -> alone.meeting(new Meeting("1", "h2:2900", 1, "", null)))
                .doesNotThrowAnyException();
    }
}
