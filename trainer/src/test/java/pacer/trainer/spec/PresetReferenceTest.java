package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class PresetReferenceTest {

    private static final Path FILE = Path.of("..", "docs", "presets.md");

    @Test
    void docsPresetsIsWhatTheCodeSays() throws IOException {
        if (Boolean.getBoolean("pacer.write")) {
            Files.writeString(FILE, PresetReference.markdown());
        }
        assertThat(FILE)
                .as("docs/presets.md is stale; run: " + PresetReference.COMMAND)
                .content()
                .isEqualTo(PresetReference.markdown());
    }

    @Test
    void itHasEverySetting() {
        assertThat(Schema.RUN.settings())
                .extracting(setting -> "| `" + setting.path() + "` |")
                .allSatisfy(cell -> assertThat(PresetReference.markdown()).contains(cell));
    }
}
