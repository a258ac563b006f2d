package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With shell scripts in place of Python: installing PyTorch takes minutes and gigabytes. */
class BenchPythonTest {
    @TempDir
    private Path folder;

    private final List<String> said = new ArrayList<>();

    private Path script(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + text + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    private BenchPython own(String python3) throws IOException, InterruptedException {
        return BenchPython.own(python3, folder.resolve("cache"), new BenchFolder(folder), said::add);
    }

    /** A {@code python3 -m venv FOLDER} that leaves a Python with {@code body} in the folder. */
    private String venv(String body) throws IOException {
        Path inner = script("inner", body);
        return script("python3", "mkdir -p $3/bin && cp " + inner + " $3/bin/python")
                .toString();
    }

    @Test
    void theEnvironmentIsMadeOnceAndSaid() throws Exception {
        String python3 = venv(
                "case \"$*\" in *pip*) echo installed >>" + folder.resolve("installs") + ";; *) echo 2.15.0;; esac");
        BenchPython first = own(python3);
        assertThat(first.torch()).isEqualTo("2.15.0");
        assertThat(first.python()).startsWith(folder.resolve("cache/bench"));
        assertThat(own("/no/such/python3")).isEqualTo(first);
        assertThat(folder.resolve("installs")).hasContent("installed");
        assertThat(said)
                .hasSize(1)
                .first()
                .asString()
                .startsWith("installing torch==")
                .contains("numpy==", "once");
    }

    @Test
    void aHalfMadeEnvironmentIsMadeAnew() throws Exception {
        String broken = venv("echo 'ERROR: No matching distribution found for torch==2.15.0' >&2; exit 1");
        assertThatThrownBy(() -> own(broken))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(
                        "pip could not install PyTorch: ERROR: No matching distribution found for torch")
                .hasMessageContaining("network")
                .hasMessageContaining("--python PATH");
        assertThat(own(venv("case \"$*\" in *pip*) ;; *) echo 2.15.0;; esac")).torch())
                .isEqualTo("2.15.0");
    }

    @Test
    void noPythonIsSaid() {
        assertThatThrownBy(() -> own("/no/such/python3"))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("PyTorch needs Python: /no/such/python3 does not start")
                .hasMessageContaining("install Python");
    }

    @Test
    void noVenvIsSaid() throws IOException {
        String python3 = script(
                        "python3",
                        "echo 'The virtual environment was not created successfully because ensurepip is not'"
                                + "; exit 1")
                .toString();
        assertThatThrownBy(() -> own(python3))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("-m venv failed")
                .hasMessageContaining("ensurepip")
                .hasMessageContaining("python3-venv");
    }

    @Test
    void aPythonWithoutPyTorchIsRefused() throws IOException {
        Path bare = script("bare", "echo \"ModuleNotFoundError: No module named 'torch'\" >&2; exit 1");
        assertThatThrownBy(() -> BenchPython.at(bare, new BenchFolder(folder)))
                .isInstanceOf(Mistake.class)
                .hasMessageContaining("ModuleNotFoundError: No module named 'torch'; install torch and numpy in it");
        assertThatThrownBy(() -> BenchPython.at(folder.resolve("none"), new BenchFolder(folder)))
                .isInstanceOf(Mistake.class)
                .hasMessageContaining("no such program");
    }
}
