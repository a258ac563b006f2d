package pacer.workflows.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.temporal.api.common.v1.Payload;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;

class PayloadEncryptionTest {
    private static final Payload PLAIN = Payload.newBuilder()
            .putMetadata("encoding", ByteString.copyFromUtf8("json/plain"))
            .setData(ByteString.copyFromUtf8("\"a note\""))
            .build();

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void makeKeys() throws IOException {
        file = folder.resolve("keys");
        NewKey.add(file, LocalDate.of(2026, 1, 1));
        NewKey.add(file, LocalDate.of(2026, 2, 2));
    }

    private PayloadEncryption codec() throws IOException {
        return new PayloadEncryption(PayloadKeys.read(file));
    }

    private Payload encrypted() throws IOException {
        return codec().encode(List.of(PLAIN)).getFirst();
    }

    /** Leaves the lines {@code order} of the file. */
    private void leave(int... order) throws IOException {
        List<String> lines = Files.readAllLines(file);
        List<String> left = new ArrayList<>();
        for (int line : order) {
            left.add(lines.get(line));
        }
        Files.write(file, left);
    }

    @Test
    void whatIsEncryptedComesBackAndNothingOfItShows() throws Exception {
        Payload encrypted = encrypted();
        assertThat(new String(encrypted.toByteArray(), StandardCharsets.ISO_8859_1))
                .doesNotContain("note")
                .doesNotContain("json");
        assertThat(encrypted.getMetadataOrThrow("encryption-key-id").toStringUtf8())
                .isEqualTo("2026-01-01");
        assertThat(codec().decode(List.of(encrypted))).containsExactly(PLAIN);
    }

    @Test
    void theSameTwiceLooksDifferent() throws Exception {
        PayloadEncryption codec = codec();
        Set<Payload> all = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            all.addAll(codec.encode(List.of(PLAIN)));
        }
        assertThat(all).hasSize(100);
    }

    @Test
    void whatWasWrittenBeforeThereWereKeysIsReadAsItIs() throws Exception {
        assertThat(codec().decode(List.of(PLAIN))).containsExactly(PLAIN);
    }

    @Test
    void withoutKeysNothingIsEncrypted() {
        PayloadEncryption none = new PayloadEncryption(PayloadKeys.none());
        assertThat(none.encode(List.of(PLAIN))).containsExactly(PLAIN);
        assertThat(none.decode(List.of(PLAIN))).containsExactly(PLAIN);
    }

    @Test
    void afterARotationOldAndNewAreRead() throws Exception {
        Payload old = encrypted();
        leave(1, 0);
        Payload young = encrypted();
        assertThat(young.getMetadataOrThrow("encryption-key-id").toStringUtf8()).isEqualTo("2026-02-02");
        assertThat(codec().decode(List.of(old, young))).containsExactly(PLAIN, PLAIN);
    }

    @Test
    void aMissingKeyIsNamedOnce() throws Exception {
        Payload old = encrypted();
        leave(1);
        List<String> told = new ArrayList<>();
        PayloadEncryption codec = codec();
        codec.onUnreadable(told::add);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> codec.decode(List.of(old)))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(
                            "a payload is encrypted with key 2026-01-01, unknown to this process, which has 2026-02-02; "
                                    + "add that key's line to the file that PACER_PAYLOAD_KEYS names, and start again");
        }
        assertThat(told).hasSize(1);
    }

    @Test
    void whatIsDamagedOrOfAnotherKeyOfThatIdIsRefused() throws Exception {
        Payload good = encrypted();
        byte[] data = good.getData().toByteArray();
        for (int at : new int[] {0, 12, data.length - 1}) {
            byte[] flipped = data.clone();
            flipped[at] ^= 1;
            assertUnreadable(
                    good.toBuilder().setData(ByteString.copyFrom(flipped)).build());
        }
        assertUnreadable(
                good.toBuilder().setData(good.getData().substring(0, 5)).build());
        assertUnreadable(
                good.toBuilder().setData(good.getData().substring(0, 20)).build());
        assertUnreadable(good.toBuilder()
                .putMetadata("encryption-key-id", ByteString.copyFromUtf8("2026-02-02"))
                .build());
    }

    private void assertUnreadable(Payload payload) throws IOException {
        PayloadEncryption codec = codec();
        assertThatThrownBy(() -> codec.decode(List.of(payload)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("it is damaged, or another key has that id here");
    }
}
