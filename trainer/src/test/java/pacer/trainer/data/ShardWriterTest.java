package pacer.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardWriterTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {100_000, 99_999, 1})
    void writesWhatLlmcReads(int planned) throws Exception {
        int count = 100_000;
        char[] tokens = new char[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = (char) (i * 31);
        }
        Path file = folder.resolve("train-000000.bin");
        ShardWriter.Written written;
        try (ShardWriter writer = new ShardWriter(file, planned)) {
            writer.write(tokens, 0, 1);
            writer.write(tokens, 1, 70_001);
            writer.write(tokens, 70_001, count);
            assertThat(file).doesNotExist();
            written = writer.finish();
        }
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer expected = ByteBuffer.allocate(1024 + 2 * count).order(ByteOrder.LITTLE_ENDIAN);
        expected.putInt(20240520).putInt(1).putInt(count).position(1024);
        expected.asCharBuffer().put(tokens);
        assertThat(bytes).isEqualTo(expected.array());
        assertThat(written)
                .isEqualTo(new ShardWriter.Written(
                        count,
                        bytes.length,
                        HexFormat.of()
                                .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes))));
        assertThat(names()).containsExactly("train-000000.bin");
    }

    @Test
    void leavesNothingOfAnUnfinishedShard() throws IOException {
        ShardFiles.counting(folder.resolve("train-000000.bin"), 5, 10);
        byte[] before = Files.readAllBytes(folder.resolve("train-000000.bin"));
        try (ShardWriter writer = new ShardWriter(folder.resolve("train-000000.bin"), 100)) {
            writer.write(new char[100], 0, 100);
            assertThat(names()).hasSize(2);
        }
        assertThat(names()).containsExactly("train-000000.bin");
        assertThat(Files.readAllBytes(folder.resolve("train-000000.bin"))).isEqualTo(before);
    }

    @Test
    void refusesAShardWithoutTokens() throws IOException {
        try (ShardWriter writer = new ShardWriter(folder.resolve("train-000000.bin"), 100)) {
            assertThatThrownBy(writer::finish)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("at least one token");
        }
        assertThat(names()).isEmpty();
    }

    @Test
    void twoWritersOfOneNameDoNotMix() throws IOException {
        Path file = folder.resolve("train-000000.bin");
        try (ShardWriter a = new ShardWriter(file, 3);
                ShardWriter b = new ShardWriter(file, 2)) {
            a.write(new char[] {1, 2}, 0, 2);
            b.write(new char[] {9, 9}, 0, 2);
            a.write(new char[] {3}, 0, 1);
            b.finish();
            a.finish();
        }
        try (TokenShard shard = TokenShard.open(file)) {
            assertThat(TokenShardTest.read(shard, 0, 2, 10)).containsExactly(1, 2, 3);
        }
    }

    @Test
    void sweepsWhatAKilledWriterLeftAndNothingElse() throws Exception {
        Process writer = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AbandonedWriter.class.getName(),
                        folder.resolve("val-000000.bin").toString())
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(writer.inputReader().readLine()).isEqualTo("writing");
            assertThat(names()).hasSize(1);
            ShardWriter.sweep(folder);
            assertThat(names()).as("its writer lives").hasSize(1);
        } finally {
            writer.destroyForcibly();
        }
        assertThat(writer.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(names()).hasSize(1);
        try (ShardWriter own = new ShardWriter(folder.resolve("train-000000.bin"), 1)) {
            ShardWriter.sweep(folder);
            assertThat(names()).hasSize(1).allMatch(name -> name.startsWith("train-000000.bin."));
            own.write(new char[1], 0, 1);
            own.finish();
        }
        assertThat(names()).containsExactly("train-000000.bin");
    }

    /** Begins a shard and waits to be killed. */
    static final class AbandonedWriter {
        public static void main(String[] args) throws Exception {
            try (ShardWriter writer = new ShardWriter(Path.of(args[0]), 10)) {
                writer.write(new char[10], 0, 10);
                System.out.println("writing");
                Thread.sleep(60_000);
            }
        }
    }

    private java.util.List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
