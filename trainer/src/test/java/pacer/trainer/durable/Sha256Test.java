package pacer.trainer.durable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Sha256Test {
    /** Of "abc", from FIPS 180-4's examples. */
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir
    private Path folder;

    @Test
    void textsBytesAndFilesAgree() throws Exception {
        Path file = Files.writeString(folder.resolve("abc"), "abc");
        long[] read = new long[1];
        assertThat(Sha256.of("abc")).isEqualTo(ABC);
        assertThat(Sha256.of(file, n -> read[0] += n)).isEqualTo(ABC);
        assertThat(read[0]).isEqualTo(3);
    }

    @Test
    void partsAreToldApart() {
        assertThat(Sha256.ofParts("ab", "c")).isNotEqualTo(Sha256.ofParts("a", "bc"));
    }

    @Test
    void whatCannotBeReadIsNamed() {
        assertThatThrownBy(() -> Sha256.of(folder.resolve("none"), n -> {})).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> Sha256.of(folder, n -> {}))
                .hasMessageStartingWith("cannot read " + folder + " beyond byte 0: ");
    }
}
