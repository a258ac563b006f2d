package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The launcher and the build start JVMs that train, too; a flag that is missing there costs speed and nobody is told. */
class JvmFlagsTest {
    private static final Path ROOT = Path.of("..");

    @Test
    void theLauncherStartsJavaWithTheTrainersFlags() throws IOException {
        assertThat(words("pacer")).contains(Trainer.JVM_FLAGS.toArray(String[]::new));
    }

    @Test
    void theTestsRunWithTheTrainersFlags() throws IOException {
        assertThat(words("pom.xml")).contains(Trainer.JVM_FLAGS.toArray(String[]::new));
    }

    private static String[] words(String file) throws IOException {
        return Files.readString(ROOT.resolve(file))
                .replace("--add-modules jdk.", "--add-modules=jdk.")
                .split("[\\s'<>\"]+", -1);
    }
}
