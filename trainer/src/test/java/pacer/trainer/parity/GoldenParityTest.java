package pacer.trainer.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.model.Engine;
import pacer.trainer.model.MemoryPolicy;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.TrainSpec.Precision;

/** Recorded runs of nanoGPT and Hugging Face's GPT-2, where they are at hand ({@code -Dpacer.shared=FOLDER}). */
class GoldenParityTest {

    private static Path golden() {
        Path golden =
                Path.of(System.getProperty("pacer.shared", "../../shared")).resolve("golden");
        assumeTrue(Files.isDirectory(golden), "no recorded runs at " + golden);
        return golden;
    }

    @ParameterizedTest
    @CsvSource({
        "gpt2_char, CPU, 1, FP32, AUTO",
        "gpt2_char, CPU, 3, FP32, AUTO",
        "gpt2_char, CPU, 2, FP32, VECTOR",
        "gpt2_char, CPU, 2, BF16, AUTO",
        "gpt2_hf, CPU, 2, FP32, AUTO",
        "gpt2_hf, CPU, 2, BF16, AUTO",
        "gpt2_hf, REFERENCE, 1, FP32, AUTO",
        "record18_perturbed, CPU, 1, FP32, AUTO",
        "record18_perturbed, CPU, 2, FP32, VECTOR",
        "record18_perturbed, CPU, 2, BF16, AUTO",
        "record18_perturbed, REFERENCE, 1, FP32, AUTO",
        "optimizers, CPU, 2, FP32, AUTO",
        "optimizers, REFERENCE, 1, FP32, AUTO",
        "newton_schulz5, CPU, 2, FP32, AUTO",
        "newton_schulz5, CPU, 2, FP32, VECTOR",
        "newton_schulz5, CPU, 2, BF16, AUTO",
        "newton_schulz5, REFERENCE, 1, FP32, AUTO",
    })
    void aRecordedRunIsRepeatedWithinTolerance(
            String trace, Engine.Kind kind, int threads, Precision precision, Gemms.Kind products) throws Exception {
        Path golden = golden();
        Engine engine = new Engine(kind, threads, precision, products, Path.of("target", "native-cache"));
        ParityReport report = Parity.replay(golden.resolve(trace), engine);
        assertThat(report.passed()).as(report.table()).isTrue();
        assertThat(report.quantities()).hasSizeGreaterThanOrEqualTo(3);
    }

    /** Logits of a few rows at a time, and all that can be is computed anew. */
    @ParameterizedTest
    @CsvSource({
        "gpt2_char, CPU, 2, FP32",
        "gpt2_char, CPU, 2, BF16",
        "gpt2_hf, CPU, 2, FP32",
        "gpt2_hf, REFERENCE, 1, FP32",
        "record18_perturbed, CPU, 2, FP32",
        "record18_perturbed, CPU, 2, BF16",
        "record18_perturbed, REFERENCE, 1, FP32",
    })
    void aRecordedRunIsRepeatedInLittleMemory(String trace, Engine.Kind kind, int threads, Precision precision)
            throws Exception {
        Path golden = golden();
        MemoryPolicy little = new MemoryPolicy(2, 7 * 4 * 1024);
        Engine engine =
                new Engine(kind, threads, precision, Gemms.Kind.AUTO, Path.of("target", "native-cache"), little);
        ParityReport report = Parity.replay(golden.resolve(trace), engine);
        assertThat(report.passed()).as(report.table()).isTrue();
    }

    /**
     * Its matrices begin at zero, and Newton-Schulz makes much of the little that rounding leaves in their first gradients: in double precision its last
     * weights lie 1.4e-2 off, in fp32 as far as the order of sums has it, so that processors are on either side of the tolerance.
     */
    @ParameterizedTest
    @CsvSource({"CPU, 2, AUTO", "CPU, 1, VECTOR", "REFERENCE, 1, AUTO"})
    void aRunThatBeginsAtZeroIsRepeatedWithinTolerance(Engine.Kind kind, int threads, Gemms.Kind products)
            throws Exception {
        Path golden = golden();
        Engine engine = new Engine(kind, threads, Precision.FP32, products, Path.of("target", "native-cache"));
        ParityReport report = Parity.replay(golden.resolve("record18_trueinit"), engine);
        assertThat(report.quantities())
                .as(report.table())
                .hasSize(10)
                .allMatch(q -> q.passed() || (q.name().equals("final weights") && q.difference() < 3 * q.tolerance()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "optimizers | \"adamw\" | \"adamx\" | is of no rule and no parameter",
                "optimizers | \"lr\" | \"rate\" | /adamw/lr",
                "optimizers | \"relative_step\": false | \"relative_step\": true | this replay knows false",
                "newton_schulz5 | \"steps\": 5 | \"steps\": 500 | 500; must be 0 to 100",
                "newton_schulz5 | fp32\" | fp64\" | this replay knows",
                "newton_schulz5 | orthogonalize | orthogonal | known are",
            })
    void whatATraceSaysAndNoReplayKnowsIsRefused(
            String trace, String said, String instead, String reason, @TempDir Path folder) throws Exception {
        Path golden = golden();
        Files.copy(golden.resolve(trace + ".safetensors"), folder.resolve("t.safetensors"));
        String description = Files.readString(golden.resolve(trace + ".json"));
        assertThat(description).contains(said);
        Files.writeString(folder.resolve("t.json"), description.replace(said, instead));
        Engine engine = new Engine(
                Engine.Kind.REFERENCE, 1, Precision.FP32, Gemms.Kind.AUTO, Path.of("target", "native-cache"));
        assertThatThrownBy(() -> Parity.replay(folder.resolve("t"), engine))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(reason)
                .hasMessageContaining("t.");
    }
}
