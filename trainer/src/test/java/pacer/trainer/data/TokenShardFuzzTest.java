package pacer.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whatever bytes a file holds, it is either read as the tokens that it is, or refused with a {@link BadDataException}
 * of one line that names it. As an ordinary test this runs over the inputs in {@code src/test/resources}; to search
 * for new ones, bounded by {@code maxDuration}:
 *
 * <pre>JAZZER_FUZZ=1 mvn -pl trainer test -Dtest=TokenShardFuzzTest</pre>
 */
class TokenShardFuzzTest {

    @FuzzTest(maxDuration = "10m")
    void isReadOrRefused(byte[] content) throws IOException {
        Path file = Files.createTempFile("shard", ".bin");
        try {
            Files.write(file, content);
            tryOpen(file, content, true);
            tryOpen(file, content, false);
        } finally {
            Files.delete(file);
        }
    }

    private static void tryOpen(Path file, byte[] content, boolean header) {
        int first = header ? 1024 : 0;
        try (TokenShard shard = header ? TokenShard.open(file) : TokenShard.openHeaderless(file)) {
            assertThat(first + 2 * shard.tokens()).isEqualTo(content.length);
            shard.check(1 << 16);
            if (shard.tokens() > 1) {
                int last = Math.toIntExact(shard.tokens() - 2);
                assertThat(TokenShardTest.read(shard, last, 1, 1 << 16))
                        .containsExactly(token(content, first + 2 * last), token(content, first + 2 * last + 2));
            }
        } catch (BadDataException refused) {
            assertThat(refused).hasMessageStartingWith(file + ": ").hasMessageNotContaining("\n");
        }
    }

    private static int token(byte[] content, int at) {
        return (content[at] & 0xFF) | (content[at + 1] & 0xFF) << 8;
    }
}
