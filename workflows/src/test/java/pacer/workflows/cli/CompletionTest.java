package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.spec.Presets;

/** The completion script, asked as bash asks it. */
class CompletionTest {
    private static final Path BASH = Path.of("/bin/bash");

    @TempDir
    private Path folder;

    private Path script;

    @BeforeEach
    void script() throws IOException {
        assumeTrue(Files.isExecutable(BASH), "there is no bash");
        for (String run : List.of("runs/tiny-1", "runs/tiny-2", "other/huge-1")) {
            Files.createDirectories(folder.resolve(run));
        }
        Screen screen = new Screen();
        Map<String, String> environment =
                Map.of("PACER_HOME", folder.toString()); // its folder of runs is known to the script
        assertThat(Pacer.run(new String[] {"completion"}, screen.console(environment)))
                .isZero();
        script = Files.writeString(folder.resolve("completion.sh"), screen.raw());
    }

    /** What is offered for the last of {@code words}. */
    private List<String> offered(String... words) throws IOException, InterruptedException {
        String line = List.of(words).stream().map(Hints::quoted).collect(Collectors.joining(" "));
        String ask = """
                compopt() { :; }
                . %s
                COMP_WORDS=(pacer %s) COMP_CWORD=%d COMP_LINE='pacer %s'
                _complete_pacer
                printf '%%s\\n' "${COMPREPLY[@]}"
                """.formatted(script, line, words.length, String.join(" ", words));
        ProcessBuilder bash = new ProcessBuilder(BASH.toString(), "--norc", "-c", ask).redirectErrorStream(true);
        bash.environment().remove("PACER_RUNS");
        Process process = bash.start();
        List<String> said = new ArrayList<>(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList());
        process.waitFor();
        said.removeIf(String::isBlank);
        return said;
    }

    @Test
    void presetsAreOfferedWhereOneIsTaken() throws Exception {
        for (String command : List.of("run", "train", "presets")) {
            assertThat(offered(command, "")).as(command).containsExactlyElementsOf(Presets.NAMES);
        }
        assertThat(offered("run", "q")).containsExactly("quickstart");
    }

    @Test
    void runsAreOfferedWhereOneIsTaken() throws Exception {
        for (String command : List.of("resume", "sample", "eval", "report", "compare")) {
            assertThat(offered(command, "")).as(command).containsExactly("last", "tiny-1", "tiny-2");
        }
        assertThat(offered("compare", "tiny-1", "tiny")).containsExactly("tiny-1", "tiny-2");
        assertThat(offered("sample", "--runs", folder.resolve("other").toString(), "h"))
                .containsExactly("huge-1");
        assertThat(offered("sample", "--runs", folder.resolve("none").toString(), ""))
                .containsExactly("last");
    }

    @Test
    void settingsAreOfferedAndWaitForTheirValue() throws Exception {
        assertThat(offered("run", "--set", "model.he")).containsExactly("model.heads=");
        assertThat(Files.readString(script)).contains("compopt -o nospace");
    }
}
