package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.spec.SpecLoader;

/** With scripts of shell in place of nanoGPT's: what is tested is how they are called and what is read of them. */
class BenchNanoGptTest {
    @TempDir
    private Path folder;

    private Path checkout;

    @BeforeEach
    void checkout() throws IOException {
        checkout = folder.resolve("checkout");
        Files.createDirectories(checkout.resolve("config"));
        Files.createDirectories(checkout.resolve("data/shakespeare_char"));
        for (String file : List.of("model.py", "configurator.py", "config/train_shakespeare_char.py")) {
            Files.createFile(checkout.resolve(file));
        }
        Files.writeString(
                checkout.resolve("data/shakespeare_char/prepare.py"),
                "cat data/shakespeare_char/input.txt >data/shakespeare_char/train.bin\n");
        Files.writeString(checkout.resolve("train.py"), """
                test -s data/shakespeare_char/train.bin || exit 9
                echo "step 0: train loss 4.2, val loss 4.3012"
                echo "step 10: train loss 1.7, val loss 1.8857"
                echo "iter 10: loss 1.7, time 30.00ms, mfu 0.01%"
                mkdir out
                """);
    }

    private BenchNanoGpt copy(String preset, String... sets) throws IOException {
        return BenchNanoGpt.copy(
                checkout,
                SpecLoader.load(preset, List.of(), List.of(sets)),
                new BenchPython(Path.of("/bin/sh"), "2.15.0"),
                new BenchFolder(folder));
    }

    @Test
    void thePresetsCommandIsThatOfTheReadme() throws IOException {
        assertThat(String.join(" ", copy("shakespeare-char-cpu").settings()))
                .isEqualTo(
                        "--device=cpu --compile=False --eval_iters=20 --log_interval=1 --block_size=64 --batch_size=12"
                                + " --n_layer=4 --n_head=4 --n_embd=128 --max_iters=2000 --lr_decay_iters=2000 --dropout=0.0");
    }

    @Test
    void whatTheSpecHasOtherwiseIsPassedOn() throws IOException {
        assertThat(copy(
                                "shakespeare-char-cpu",
                                "train.steps=20",
                                "train.batchTokens=1536",
                                "optimizer.learningRate=2e-3",
                                "model.bias=true",
                                "evaluation.everySteps=10")
                        .settings())
                .contains(
                        "--max_iters=20",
                        "--lr_decay_iters=20",
                        "--batch_size=12",
                        "--gradient_accumulation_steps=2",
                        "--learning_rate=0.002",
                        "--min_lr=2.0E-4",
                        "--bias=True",
                        "--eval_interval=10");
    }

    @Test
    void itRunsInACopyFromTheTextAndTellsTheLastLoss() throws Exception {
        Path text = Files.writeString(folder.resolve("text.txt"), "First Citizen:");
        BenchNanoGpt nanoGpt = copy("shakespeare-char-cpu", "dataset.url=file:" + text);
        for (int i = 0; i < 2; i++) { // the second finds nothing of the first: mkdir would fail
            BenchNanoGpt.Done done = nanoGpt.run(folder.resolve("log"));
            assertThat(done.validationLoss()).isEqualTo(1.8857);
            assertThat(done.seconds()).isGreaterThan(done.secondsToPrepare());
        }
        assertThat(checkout.resolve("out")).doesNotExist();
        assertThat(checkout.resolve("data/shakespeare_char/input.txt")).doesNotExist();
    }

    @Test
    void aFailureSaysWhatItSaid() throws IOException {
        Files.writeString(checkout.resolve("train.py"), "echo 'ModuleNotFoundError: tiktoken' >&2; exit 1");
        Path text = Files.writeString(folder.resolve("text.txt"), "First Citizen:");
        BenchNanoGpt nanoGpt = copy("shakespeare-char-cpu", "dataset.url=file:" + text);
        assertThatThrownBy(() -> nanoGpt.run(folder.resolve("log")))
                .isInstanceOf(IOException.class)
                .hasMessage("nanoGPT's train.py ended with code 1:\n  ModuleNotFoundError: tiktoken");
    }

    @Test
    void aRunWithoutALossIsNoResult() {
        assertThatThrownBy(() -> BenchNanoGpt.lastLoss(List.of("iter 0: loss 4.2", "step 0: train loss nan")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no validation loss");
    }

    @Test
    void whatNanoGptCannotDoIsSaid() throws IOException {
        assertThatThrownBy(() -> copy("shakespeare-char-cpu", "model.activation=gelu_tanh"))
                .isInstanceOf(Mistake.class)
                .hasMessageContaining("model.activation gelu_erf");
        assertThatThrownBy(() -> copy("quickstart"))
                .isInstanceOf(Mistake.class)
                .hasMessageContaining("--set dataset.url=file:PATH");
        Files.delete(checkout.resolve("model.py"));
        assertThatThrownBy(() -> copy("shakespeare-char-cpu"))
                .isInstanceOf(Mistake.class)
                .hasMessageContaining("no model.py in it");
    }
}
