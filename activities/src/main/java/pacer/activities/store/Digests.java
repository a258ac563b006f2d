package pacer.activities.store;

import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import pacer.trainer.durable.Sha256;

/** Digests as S3 writes them, in base64. */
final class Digests {
    private Digests() {}

    static String base64(String hex) {
        return Base64.getEncoder().encodeToString(HexFormat.of().parseHex(hex));
    }

    static String base64(byte[] bytes, int length) {
        MessageDigest digest = Sha256.begin();
        digest.update(bytes, 0, length);
        return Base64.getEncoder().encodeToString(digest.digest());
    }

    /** The hex digits of {@code base64}; empty where it is none. */
    static Optional<String> hex(String base64) {
        try {
            return Optional.of(HexFormat.of().formatHex(Base64.getDecoder().decode(base64)));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
