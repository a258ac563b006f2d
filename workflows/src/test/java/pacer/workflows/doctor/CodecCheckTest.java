package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.Ports;
import pacer.workflows.codec.CodecEndpoint;
import pacer.workflows.codec.PayloadKeys;

/** The endpoint that {@code pacer codec} is, with one thing wrong at a time. */
@Timeout(60)
class CodecCheckTest {
    private static final String UI = "http://127.0.0.1:8233";

    @TempDir
    private Path folder;

    private Map<String, String> keys(String id, int fill) throws Exception {
        byte[] key = new byte[32];
        java.util.Arrays.fill(key, (byte) fill);
        Path file = Files.writeString(
                folder.resolve(id + fill), id + " " + Base64.getEncoder().encodeToString(key) + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return Map.of(PayloadKeys.VARIABLE, file.toString());
    }

    private static List<Finding> findings(Map<String, String> keys, String... more) throws Exception {
        Map<String, String> environment = new HashMap<>(keys);
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return new CodecCheck(environment).findings();
    }

    @Test
    void anEndpointIsAskedToDecodeAndWhetherTheUiMayAsk() throws Exception {
        Map<String, String> keys = keys("a", 1);
        int port = Ports.free();
        String address = "http://127.0.0.1:" + port;
        try (CodecEndpoint _ = CodecEndpoint.serve("127.0.0.1:" + port, Set.of(UI), PayloadKeys.of(keys))) {
            Found.nothingWrong(findings(keys, "PACER_CODEC_ENDPOINT", address, "PACER_TEMPORAL_UI", UI + "/"));
            Found.nothingWrong(findings(keys, "PACER_CODEC", "" + port));
            String other = "https://temporal.example.com";
            List<Finding> findings = findings(keys, "PACER_CODEC_ENDPOINT", address, "PACER_TEMPORAL_UI", other);
            Found.good(findings, "codec", "decodes what is encrypted here, with key a");
            assertThat(Found.bad(findings, "codec", "status 403").remedy()).endsWith("pacer codec --origin " + other);
            assertThat(Found.bad(
                                    findings(keys("b", 2), "PACER_CODEC_ENDPOINT", address),
                                    "codec",
                                    "unknown to this process")
                            .remedy())
                    .contains("has b");
            Found.bad(findings(keys("a", 3), "PACER_CODEC_ENDPOINT", address), "codec", "another key has that id");
            Found.poor(findings(Map.of(), "PACER_CODEC_ENDPOINT", address), "codec", "no keys");
        }
        Found.bad(findings(keys, "PACER_CODEC_ENDPOINT", address), "codec", "does not answer");
    }

    @Test
    void keysWithoutAnEndpointAreAHintAndNoneAreNothing() throws Exception {
        Found.poor(findings(keys("a", 1)), "codec", "no endpoint is named");
        assertThat(findings(Map.of())).isEmpty();
        Found.bad(findings(Map.of(PayloadKeys.VARIABLE, "/nowhere")), "codec", "no such file");
    }
}
