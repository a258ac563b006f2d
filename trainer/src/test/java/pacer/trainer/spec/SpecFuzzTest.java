package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Presets with bytes changed at random: each is either read or refused in plain lines, whatever it holds. */
class SpecFuzzTest {

    private static final String[] TOKENS = {
        "&a",
        "*a",
        "!!",
        "!x ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "%TAG !e! tag:e,2000:\n",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "? ",
        "|\n",
        ">2\n",
        "\"",
        "'",
        "#",
        "\t",
        "\r",
        "\n",
        "\n\n  ",
        "\u0085",
        "\uFEFF",
        "\0",
        "😀",
        "0x",
        "1e999",
        "\\x",
        "\\U0010FFFF",
        "<<",
        "~",
        ",",
        "@",
        "`"
    };

    @Test
    void everyDamagedPresetIsReadOrRefusedInPlainLines(@TempDir Path folder) throws IOException {
        SettingsFiles files = new SettingsFiles(folder);
        byte[] preset = Presets.yaml("quickstart").orElseThrow();
        int refused = 0;
        for (int seed = 0; seed < 500; seed++) {
            byte[] damaged = damaged(preset, new SplittableRandom(seed));
            Path file = files.write("damaged.yaml", damaged);
            try {
                SpecLoader.load(file.toString(), List.of(file), List.of());
            } catch (SpecException e) {
                refused++;
                assertThat(e.faults()).as("seed %d", seed).isNotEmpty().allSatisfy(fault -> assertThat(fault.toString())
                        .hasSizeBetween(10, 1000)
                        .startsWith(file.toString())
                        .contains("; ")
                        .matches(line -> line.codePoints().allMatch(CanonicalYaml::printable), "printable"));
            }
        }
        assertThat(refused).isGreaterThan(250);
    }

    private static byte[] damaged(byte[] preset, SplittableRandom random) {
        String text = new String(preset, StandardCharsets.UTF_8);
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            int at = random.nextInt(text.length());
            int cut = random.nextInt(3) == 0 ? random.nextInt(Math.min(40, text.length() - at)) : 0;
            String token = TOKENS[random.nextInt(TOKENS.length)];
            text = text.substring(0, at) + token.repeat(1 + random.nextInt(3)) + text.substring(at + cut);
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (random.nextInt(10) == 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }
}
