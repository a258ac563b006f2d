package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpecResolverTest {

    @TempDir
    Path folder;

    SettingsFiles files;

    @BeforeEach
    void start() {
        files = new SettingsFiles(folder);
    }

    private static Processor cores(int cores) {
        return new Processor(cores, false);
    }

    @ParameterizedTest
    @CsvSource({"auto,true,BF16", "auto,false,FP32", "fp32,true,FP32", "bf16,false,BF16"})
    void precisionAutoIsBf16WhereTheProcessorHasIt(String asked, boolean bf16, TrainSpec.Precision expected) {
        RunSpec spec = files.whole("train.precision=" + asked);
        assertThat(SpecResolver.forMachine(spec, new Processor(1, bf16)).train().precision())
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"fpu avx512f avx512_bf16 sse,true", "avx512f amx_bf16 amx_tile,true", "avx512f avx2,false"})
    void aProcessorWithBf16IsToldByItsFlags(String flags, boolean expected) throws IOException {
        Path facts = Files.writeString(
                folder.resolve("cpuinfo"),
                "processor\t: 0\nmodel name\t: amx_bf16\nflags\t\t: " + flags + "\nbugs\t: x\n");
        assertThat(Processor.hasBf16(facts)).isEqualTo(expected);
        assertThat(Processor.hasBf16(folder.resolve("none"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"0,1,8,8", "0,2,8,4", "0,4,2,1", "0,2,7,3", "3,1,8,3"})
    void threadsAreTheCoresSharedByTheRanks(int threads, int ranks, int cores, int expected) {
        RunSpec spec = files.whole("train={threads: %d, ranks: %d, microBatch: 1}".formatted(threads, ranks));
        assertThat(SpecResolver.forMachine(spec, cores(cores)).train().threads())
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"0,0,10", "7,3,7", "0,100,100"})
    void decayEndsWithTheRunOrItsWarmup(int decay, int warmup, int expected) {
        RunSpec spec = files.whole("schedule={decaySteps: %d, warmupSteps: %d}".formatted(decay, warmup));
        RunSpec resolved = SpecResolver.forMachine(spec, cores(1));
        assertThat(resolved.schedule().decaySteps()).isEqualTo(expected);
        assertThat(SpecLoader.read(files.write("resolved.yaml", CanonicalYaml.write(resolved))))
                .isEqualTo(resolved);
    }

    @Test
    void theMicroBatchShrinksToARanksSequences() {
        assertThat(SpecResolver.forMachine(files.whole("train={microBatch: 9, ranks: 2}"), cores(1))
                        .train()
                        .microBatch())
                .isEqualTo(2);
    }

    @Test
    void theVocabularyIsTheDatasetsUnlessTheModelsOwnHoldsIt() {
        RunSpec spec = files.whole("dataset.tokenizer=characters");
        assertThat(SpecResolver.resolve(spec, cores(1), 65).model().vocabulary())
                .isEqualTo(65);
        RunSpec own = files.whole("dataset.tokenizer=characters", "model.vocabulary=64");
        assertThat(SpecResolver.forDataset(own, 64).model().vocabulary()).isEqualTo(64);
        assertThatThrownBy(() -> SpecResolver.forDataset(own, 65))
                .isInstanceOf(SpecException.class)
                .hasMessage(
                        "mine model.vocabulary: 64, must hold the dataset's 65 tokens; give 0 to take the dataset's");
    }

    @Test
    void theTokenOfDocumentsIsOneOfTheDatasets() {
        RunSpec spec = files.whole("dataset.tokenizer=characters", "model.attention.documentToken=65");
        assertThat(SpecResolver.forDataset(spec, 66).model().vocabulary()).isEqualTo(66);
        assertThatThrownBy(() -> SpecResolver.forDataset(spec, 65))
                .isInstanceOf(SpecException.class)
                .hasMessage(
                        "mine model.attention.documentToken: 65, must be one of the dataset's 65 tokens; give -1 to tell no documents apart");
    }

    @Test
    void resolvingAgainChangesNothing() {
        RunSpec resolved = SpecResolver.resolve(files.whole("train.ranks=2", "train.microBatch=2"), cores(8), 50257);
        assertThat(SpecResolver.resolve(resolved, new Processor(64, true), 50257))
                .isEqualTo(resolved);
    }

    @Test
    void everythingElseStays() {
        RunSpec spec = files.whole();
        RunSpec resolved = SpecResolver.resolve(spec, cores(3), 50257);
        assertThat(CanonicalYaml.flatten(resolved).entrySet())
                .filteredOn(entry ->
                        !CanonicalYaml.flatten(spec).get(entry.getKey()).equals(entry.getValue()))
                .extracting(Object::toString)
                .containsExactly("model.vocabulary=50257", "train.threads=3", "schedule.decaySteps=10");
    }
}
