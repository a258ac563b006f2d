package pacer.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TokenShardTest {
    private static final int MAGIC = 20240520;

    @TempDir
    Path folder;

    static Stream<Arguments> badHeaders() {
        return Stream.of(
                bad("is empty", 0),
                bad("1023 bytes; a token shard begins with a header of 1024", 1023, MAGIC, 1, 1),
                bad("byte 8: a count of 0 tokens; it must be 1 to", 1024, MAGIC, 1, 0),
                bad(
                        "byte 8: the header counts 1 tokens, which make 1026 bytes, but the file has 1024 "
                                + "(cut short)",
                        1024,
                        MAGIC,
                        1,
                        1),
                bad("byte 0: magic number 20240521", 1026, MAGIC + 1, 1, 1),
                bad("byte 0: the header is big-endian", 1026, Integer.reverseBytes(MAGIC), 1 << 24, 1 << 24),
                bad("byte 4: version 2 of the shard format", 1026, MAGIC, 2, 1),
                bad("byte 8: a count of -5 tokens", 1026, MAGIC, 1, -5),
                bad(
                        "counts 2147483647 tokens, which make 4294968318 bytes, but the file has 1026",
                        1026,
                        MAGIC,
                        1,
                        Integer.MAX_VALUE),
                bad("counts 2 tokens, which make 1028 bytes, but the file has 1030 (too long)", 1030, MAGIC, 1, 2),
                bad("counts 2 tokens, which make 1028 bytes, but the file has 1027 (cut short)", 1027, MAGIC, 1, 2));
    }

    private static Arguments bad(String message, int size, int... header) {
        return Arguments.of(message, size, header);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badHeaders")
    void refusesABadHeaderNamingFileAndPlace(String message, int size, int[] header) throws IOException {
        Path file = ShardFiles.raw(folder.resolve("train-000007.bin"), size, size < 12 ? new int[0] : header);
        assertThatThrownBy(() -> TokenShard.open(file))
                .isInstanceOf(BadDataException.class)
                .hasMessageStartingWith(file + ": ")
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void refusesEveryCutOfAGoodShard() throws IOException {
        Path whole = ShardFiles.counting(folder.resolve("whole.bin"), 0, 20);
        byte[] bytes = Files.readAllBytes(whole);
        for (int size = 0; size < bytes.length; size++) {
            Path cut = Files.write(folder.resolve("cut.bin"), java.util.Arrays.copyOf(bytes, size));
            assertThatThrownBy(() -> TokenShard.open(cut))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContaining("cut.bin");
        }
    }

    @Test
    void refusesWhatIsMissingOrNoRegularFile() {
        assertThatThrownBy(() -> TokenShard.open(folder.resolve("none.bin")))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("none.bin: no such file");
        assertThatThrownBy(() -> TokenShard.open(folder))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("not a regular file");
    }

    @Test
    @Timeout(20)
    void refusesAFifoInsteadOfWaitingForItsWriter() throws Exception {
        Path fifo = folder.resolve("fifo.bin");
        Process mkfifo = new ProcessBuilder("mkfifo", fifo.toString()).start();
        assertThat(mkfifo.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(mkfifo.exitValue()).isZero();
        assertThatThrownBy(() -> TokenShard.open(fifo))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("fifo.bin: not a regular file");
    }

    @Test
    void readsHeaderlessFilesOnlyWhenAskedTo() throws IOException {
        Path file = Files.write(folder.resolve("train.bin"), new byte[] {1, 0, 2, 0, (byte) 0xFF, (byte) 0xC3});
        try (TokenShard shard = TokenShard.openHeaderless(file)) {
            assertThat(shard.tokens()).isEqualTo(3);
            assertThat(read(shard, 0, 2, 50304)).containsExactly(1, 2, 0xC3FF);
        }
        assertThatThrownBy(() -> TokenShard.open(file)).isInstanceOf(BadDataException.class);
        Path withHeader = ShardFiles.counting(folder.resolve("a.bin"), 0, 4);
        assertThatThrownBy(() -> TokenShard.openHeaderless(withHeader))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("has a header of llm.c");
        Path odd = Files.write(folder.resolve("odd.bin"), new byte[5]);
        assertThatThrownBy(() -> TokenShard.openHeaderless(odd))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("5 bytes; uint16 tokens take an even number");
        Path empty = Files.write(folder.resolve("empty.bin"), new byte[0]);
        assertThatThrownBy(() -> TokenShard.openHeaderless(empty))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("is empty");
    }

    @Test
    void readsTokensAsUnsignedAndShiftsTargets() {
        Path file = ShardFiles.counting(folder.resolve("a.bin"), 65_500, 36);
        try (TokenShard shard = TokenShard.open(file)) {
            assertThat(read(shard, 33, 2, 65_536)).containsExactly(65_533, 65_534, 65_535);
            assertThatThrownBy(() -> read(shard, 34, 2, 65_536)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> read(shard, -1, 2, 65_536)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void namesTheFirstTokenBeyondTheVocabulary() {
        Path file = ShardFiles.counting(folder.resolve("a.bin"), 0, 3000);
        try (TokenShard shard = TokenShard.open(file)) {
            assertThat(read(shard, 997, 2, 1000)).containsExactly(997, 998, 999);
            assertThatThrownBy(() -> read(shard, 998, 20, 1000))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContaining("a.bin: token 1000 is 1000, but the vocabulary has 1000");
            assertThatThrownBy(() -> shard.check(2999))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContaining("token 2999 is 2999");
            shard.check(3000);
        }
    }

    @Test
    void readsBeyondTwoGibibytes() throws IOException {
        int tokens = 1_200_000_000;
        Path file = ShardFiles.raw(folder.resolve("big.bin"), 1024, MAGIC, 1, tokens);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1024 + 2L * tokens);
            sparse.seek(1024 + 2L * (tokens - 1));
            sparse.write(new byte[] {0x39, 0x30});
        }
        try (TokenShard shard = TokenShard.open(file)) {
            assertThat(shard.tokens()).isEqualTo(tokens);
            assertThat(read(shard, tokens - 4, 3, 50257)).containsExactly(0, 0, 0, 12345);
        }
    }

    @Test
    void saysSoWhenTheFileIsCutShortWhileMapped() throws IOException {
        Path file = ShardFiles.counting(folder.resolve("a.bin"), 0, 60_000);
        try (TokenShard shard = TokenShard.open(file)) {
            assertThat(read(shard, 59_000, 2, 65_536)).containsExactly(59_000, 59_001, 59_002);
            truncate(file, 120_000); // within the last page: what is missing reads as zeros, without a fault
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment window = arena.allocate(ValueLayout.JAVA_INT, 10);
                assertThatThrownBy(() -> shard.copy(59_900, 10, window, window, 0))
                        .isInstanceOf(BadDataException.class);
            }
            truncate(file, 2000);
            String message = "was 121024 bytes long when it was opened and was cut short since";
            assertThatThrownBy(() -> read(shard, 59_000, 2, 65_536))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContaining(message);
            assertThatThrownBy(() -> shard.check(65_536))
                    .isInstanceOf(BadDataException.class)
                    .hasMessageContaining(message);
            // the same when it happens between the look at the size and the read: here the processor really faults,
            // in interpreted code at first and in compiled code later
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment window = arena.allocate(ValueLayout.JAVA_INT, 1000);
                for (int i = 0; i < 300; i++) {
                    assertThatThrownBy(() -> shard.copy(50_000, 1000, window, window, 0))
                            .isInstanceOf(BadDataException.class)
                            .hasMessageContaining(message);
                }
            }
        }
    }

    private static void truncate(Path file, long size) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(size);
        }
    }

    @Test
    void opensAFolderByTheNamesOfItsFiles() throws IOException {
        Path pacer = Files.createDirectory(folder.resolve("pacer"));
        ShardFiles.counting(pacer.resolve("train-000001.bin"), 500, 10);
        ShardFiles.counting(pacer.resolve("train-000000.bin"), 100, 10);
        ShardFiles.counting(pacer.resolve("val-000000.bin"), 900, 10);
        Path llmc = Files.createDirectory(folder.resolve("llmc"));
        ShardFiles.counting(llmc.resolve("fineweb_train_000001.bin"), 1, 10);
        ShardFiles.counting(llmc.resolve("fineweb_val_000000.bin"), 2, 10);
        Path nano = Files.createDirectory(folder.resolve("nano"));
        Files.write(nano.resolve("train.bin"), new byte[] {7, 0, 8, 0, 9, 0});

        assertThat(firstTokens(pacer, Split.TRAIN)).containsExactly(100, 500);
        assertThat(firstTokens(pacer, Split.VALIDATION)).containsExactly(900);
        assertThat(firstTokens(llmc, Split.TRAIN)).containsExactly(1);
        assertThat(firstTokens(llmc, Split.VALIDATION)).containsExactly(2);
        assertThat(firstTokens(nano, Split.TRAIN)).containsExactly(7);
        assertThatThrownBy(() -> firstTokens(nano, Split.VALIDATION))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("nano: no token shards val-*.bin");
        assertThatThrownBy(() -> firstTokens(folder.resolve("none"), Split.TRAIN))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("none: no such folder");
        assertThatThrownBy(() -> TokenShards.open(List.of(), 65))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("empty list of token shards");
    }

    private static List<Integer> firstTokens(Path folder, Split split) {
        try (TokenShards shards = TokenShards.inFolder(folder, split, 1000)) {
            return java.util.stream.IntStream.range(0, shards.count())
                    .mapToObj(s -> read(shards.shard(s), 0, 1, 1000)[0])
                    .toList();
        }
    }

    static int[] read(TokenShard shard, long first, int length, int vocabulary) {
        TokenLoader loader = new TokenLoader() {
            @Override
            public void window(long sample, int length, MemorySegment inputs, MemorySegment targets, long offset) {
                shard.window(sample, length, vocabulary, inputs, targets, offset);
            }

            @Override
            public long tokens() {
                return shard.tokens();
            }
        };
        return ShardFiles.window(loader, first, length);
    }
}
