package pacer.trainer.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.trainer.model.Engine;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.TrainSpec.Precision;

/** Recorded runs of nanoGPT and Hugging Face's GPT-2, where they are at hand ({@code -Dpacer.shared=FOLDER}). */
class GoldenParityTest {

    @ParameterizedTest
    @CsvSource({
        "gpt2_char, CPU, 1, FP32, AUTO",
        "gpt2_char, CPU, 3, FP32, AUTO",
        "gpt2_char, CPU, 2, FP32, VECTOR",
        "gpt2_char, CPU, 2, BF16, AUTO",
        "gpt2_hf, CPU, 2, FP32, AUTO",
        "gpt2_hf, CPU, 2, BF16, AUTO",
        "gpt2_hf, REFERENCE, 1, FP32, AUTO",
    })
    void aRecordedRunIsRepeatedWithinTolerance(
            String trace, Engine.Kind kind, int threads, Precision precision, Gemms.Kind products) throws Exception {
        Path golden =
                Path.of(System.getProperty("pacer.shared", "../../shared")).resolve("golden");
        assumeTrue(Files.isDirectory(golden), "no recorded runs at " + golden);
        Engine engine = new Engine(kind, threads, precision, products, Path.of("target", "native-cache"));
        ParityReport report = Parity.replay(golden.resolve(trace), engine);
        assertThat(report.passed()).as(report.table()).isTrue();
        assertThat(report.quantities()).hasSizeGreaterThan(3);
    }
}
