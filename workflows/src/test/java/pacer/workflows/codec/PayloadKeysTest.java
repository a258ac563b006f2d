package pacer.workflows.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.LocalDate;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;

class PayloadKeysTest {
    private static final String KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    private static final LocalDate TODAY = LocalDate.of(2026, 11, 23);

    @TempDir
    private Path folder;

    private Path file(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("keys"), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    private static PayloadKeys of(Path file) throws IOException {
        return PayloadKeys.of(Map.of(PayloadKeys.VARIABLE, file.toString()));
    }

    @Test
    void theFirstLineEncryptsAndAllDecrypt() throws Exception {
        PayloadKeys keys = of(file("# of the team\n\nnew " + KEY + "\n  old\t" + KEY + "\n"));
        assertThat(keys.current()).contains("new");
        assertThat(keys.ids()).containsExactly("new", "old");
        assertThat(keys).hasToString("PayloadKeys[new, old]");
    }

    @Test
    void withoutAFileThereIsNone() throws Exception {
        assertThat(PayloadKeys.of(Map.of()).isEmpty()).isTrue();
        assertThat(PayloadKeys.of(Map.of(PayloadKeys.VARIABLE, " ")).isEmpty()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                KEY,
                "id " + KEY + " more",
                "two words " + KEY,
                "id MDEyMzQ1Njc4OWFiY2RlZg==",
                "id MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZW_-",
                KEY + " " + KEY
            })
    void whatIsNoKeyIsNamedByItsLineAndNotShown(String line) throws Exception {
        Path file = file("# first\n" + line + "\n");
        assertThatThrownBy(() -> of(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("PACER_PAYLOAD_KEYS: " + file + ": line 2: must be 'ID KEY'")
                .hasMessageEndingWith("pacer codec --new-key FILE")
                .hasMessageNotContaining("MDEy")
                .hasNoCause();
    }

    @Test
    void filesThatHoldNoKeysAreNamed() throws Exception {
        assertThatThrownBy(() -> of(folder.resolve("none"))).hasMessageContaining("none: no such file; make one with");
        assertThatThrownBy(() -> of(folder)).hasMessageContaining(": not a file; make one with");
        Path empty = file("# nothing\n");
        assertThatThrownBy(() -> of(empty)).hasMessageContaining(": holds no key; make one with");
        Path twice = file("a " + KEY + "\na " + KEY + "\n");
        assertThatThrownBy(() -> of(twice)).hasMessageContaining("line 2: an earlier line has the same id");
        Path binary = file("");
        Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThatThrownBy(() -> of(binary)).hasMessageContaining(": no text; must be lines 'ID KEY'");
    }

    @ParameterizedTest
    @CsvSource({"rw----r--, false", "rw--w----, false", "rw-----w-, false", "r--------, true"})
    void aFileThatOthersCanReadOrChangeIsRefused(String permissions, boolean taken) throws Exception {
        Path file = file("id " + KEY + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
        if (taken) {
            assertThat(of(file).current()).contains("id");
        } else {
            assertThatThrownBy(() -> of(file))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageEndingWith("take that away: chmod 600 " + file);
        }
    }

    @Test
    void aGroupMayReadOneOfRootAsKubernetesGivesThem() throws Exception {
        Path file = file("id " + KEY + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r-----"));
        if (Integer.valueOf(0).equals(Files.getAttribute(file, "unix:uid"))) {
            assertThat(of(file).current()).contains("id");
        } else {
            assertThatThrownBy(() -> of(file)).hasMessageContaining("chmod 600");
        }
    }

    @Test
    void aNewKeyIsItsOwnersAloneAndALaterOneDecryptsOnly() throws Exception {
        Path file = folder.resolve("keys");

        assertThat(NewKey.add(file, TODAY)).isEqualTo("2026-11-23");

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        String first = Files.readString(file);
        Files.writeString(file, first.strip()); // by an editor that ends no line
        assertThat(NewKey.add(file, TODAY)).isEqualTo("2026-11-23-2");
        assertThat(of(file).current()).contains("2026-11-23");
        assertThat(of(file).ids()).containsExactly("2026-11-23", "2026-11-23-2");
        assertThat(Files.readString(file)).startsWith(first);
        assertThat(Files.readAllLines(file).stream()
                        .map(line -> line.substring(line.indexOf(" ")))
                        .distinct())
                .hasSize(2);
    }

    @Test
    void aFileThatIsNoneOfKeysIsLeftAsItIs() throws Exception {
        Path file = file("my diary\n");
        assertThatThrownBy(() -> NewKey.add(file, TODAY)).isInstanceOf(BadInputException.class);
        assertThat(file).hasContent("my diary\n");
        assertThatThrownBy(() -> NewKey.add(folder.resolve("no/keys"), TODAY))
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith("its folder is not there; make it first");
    }
}
