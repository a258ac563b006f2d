package pacer.workflows.codec;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Base64;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.regex.Pattern;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import pacer.activities.run.BadInputException;

/**
 * The keys of payloads, from the file that {@code PACER_PAYLOAD_KEYS} names: a line {@code ID KEY} each, the key 32 bytes in base64. The first one
 * encrypts, all decrypt, so that keys can be rotated. Nothing here says a key: messages name file, line and id.
 */
public final class PayloadKeys {
    public static final String VARIABLE = "PACER_PAYLOAD_KEYS";

    static final int BYTES = 32;
    static final String ALGORITHM = "AES";

    /** Too short for a key: ids are shown. */
    static final Pattern ID = Pattern.compile("[A-Za-z0-9._-]{1,40}");

    private static final String REMEDY = "make one with: pacer codec --new-key FILE";

    private final SequencedMap<String, SecretKey> keys;

    private PayloadKeys(SequencedMap<String, SecretKey> keys) {
        this.keys = Collections.unmodifiableSequencedMap(keys);
    }

    /** No key: nothing is encrypted, and nothing that is can be read. */
    public static PayloadKeys none() {
        return new PayloadKeys(new LinkedHashMap<>());
    }

    /**
     * Those that {@code environment} names.
     *
     * @throws BadInputException when the file is not there, is none, or can be read by others
     */
    public static PayloadKeys of(Map<String, String> environment) throws IOException {
        String file = environment.getOrDefault(VARIABLE, "").strip();
        return file.isEmpty() ? none() : read(Path.of(file));
    }

    static PayloadKeys read(Path file) throws IOException {
        requirePrivate(file);
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (MalformedInputException e) {
            throw fault(file, "no text; must be lines 'ID KEY', the key 32 bytes in base64; " + REMEDY);
        }
        SequencedMap<String, SecretKey> keys = new LinkedHashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            String[] words = line.split("\\s+", -1);
            Optional<SecretKey> key =
                    words.length == 2 && ID.matcher(words[0]).matches() ? key(words[1]) : Optional.empty();
            if (key.isEmpty()) {
                throw fault(
                        file,
                        "line " + (i + 1)
                                + ": must be 'ID KEY', an id of up to 40 letters, digits, '.', '_' or '-' and 32 bytes in base64; "
                                + REMEDY);
            }
            if (keys.putLast(words[0], key.get()) != null) {
                throw fault(file, "line " + (i + 1) + ": an earlier line has the same id; each key needs its own");
            }
        }
        if (keys.isEmpty()) {
            throw fault(file, "holds no key; " + REMEDY);
        }
        return new PayloadKeys(keys);
    }

    private static Optional<SecretKey> key(String text) {
        try {
            byte[] bytes = Base64.getDecoder().decode(text);
            return bytes.length == BYTES ? Optional.of(new SecretKeySpec(bytes, ALGORITHM)) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // its message is about the key
        }
    }

    /** Its owner's alone. A group may read one of root's, as that is how Kubernetes gives a pod its secrets. */
    private static void requirePrivate(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw fault(file, (Files.exists(file) ? "not a file; " : "no such file; ") + REMEDY);
        }
        if (!Files.getFileStore(file).supportsFileAttributeView("posix")) {
            return;
        }
        Set<PosixFilePermission> forbidden = EnumSet.of(
                PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE);
        if (!Integer.valueOf(0).equals(Files.getAttribute(file, "unix:uid"))) {
            forbidden.add(PosixFilePermission.GROUP_READ);
        }
        try {
            forbidden.retainAll(Files.getPosixFilePermissions(file));
        } catch (NoSuchFileException e) {
            throw fault(file, "no such file; " + REMEDY);
        }
        if (!forbidden.isEmpty()) {
            throw fault(file, "can be read or changed by others than its owner; take that away: chmod 600 " + file);
        }
    }

    private static BadInputException fault(Path file, String what) {
        return new BadInputException(VARIABLE + ": " + file + ": " + what);
    }

    /** Whether there is none. */
    public boolean isEmpty() {
        return keys.isEmpty();
    }

    /** The id of the one that encrypts; empty where there is none. */
    public Optional<String> current() {
        return keys.isEmpty() ? Optional.empty() : Optional.of(keys.firstEntry().getKey());
    }

    /** Ids of all, in the file's order. */
    public Set<String> ids() {
        return keys.keySet();
    }

    Optional<SecretKey> key(CharSequence id) {
        return Optional.ofNullable(keys.get(id.toString()));
    }

    @Override
    public String toString() {
        return "PayloadKeys" + keys.keySet();
    }
}
