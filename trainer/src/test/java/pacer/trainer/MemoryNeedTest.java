package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import pacer.trainer.data.BadDataException;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;
import pacer.trainer.spec.TrainSpec.Precision;

class MemoryNeedTest {

    private static RunSpec spec(String... sets) {
        return SpecResolver.resolve(
                SpecLoader.load("quickstart", List.of(), List.of(sets)), new Processor(2, false), 65);
    }

    private static Engine engine(Precision precision) {
        return new Engine(Engine.Kind.CPU, 2, precision, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
    }

    @ParameterizedTest
    @EnumSource(names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
    void theNeedIsWhatTrainingAllocates(Precision precision) throws IOException {
        RunSpec spec = spec("model.vocabulary=65");
        try (Replica replica = engine(precision)
                .open(
                        spec.model(),
                        TrainingBatches.microBatch(spec),
                        spec.model().sequenceLength(),
                        true)) {
            Optimizer _ = Optimizer.of(replica, spec.optimizer());
            assertThat(MemoryNeed.of(spec, engine(precision)).bytes()).isEqualTo(replica.plannedBytes());
        }
    }

    @ParameterizedTest
    @CsvSource({"5,2,6.9,false", "5,2,7,true"})
    void moreThanTheMachineHasIsRefused(long parameters, long activations, double memory, boolean fits) {
        MemoryNeed need = new MemoryNeed(parameters * 1_000_000_000, activations * 1_000_000_000);
        if (fits) {
            assertThatCode(() -> need.requireIn((long) (memory * 1e9), 1)).doesNotThrowAnyException();
        } else {
            assertThatThrownBy(() -> need.requireIn((long) (memory * 1e9), 1))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContainingAll(
                            "needs 7.0 GB", "has 6.9 GB", "5.0 GB for weights", "2.0 GB for activations");
        }
    }

    @Test
    void ranksShareTheMachine() {
        MemoryNeed need = new MemoryNeed(5_000_000_000L, 2_000_000_000L);
        need.requireIn(28_000_000_000L, 4);
        assertThatThrownBy(() -> need.requireIn(28_000_000_000L, 5))
                .hasMessageContainingAll("needs 35.0 GB", "each of its 5 ranks (train.ranks) 7.0 GB");
    }
}
