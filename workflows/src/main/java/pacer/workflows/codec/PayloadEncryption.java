package pacer.workflows.codec;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.temporal.api.common.v1.Payload;
import io.temporal.common.converter.DataConverterException;
import io.temporal.payload.codec.PayloadCodec;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.unsafe.WorkflowUnsafe;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import pacer.activities.run.BadInputException;

/**
 * Payloads by AES-256-GCM: in the data 12 random bytes, the encrypted payload and its tag, in the metadata the key's id. What is not encrypted is read as it is, so what was
 * written before there were keys stays readable; without keys nothing is encrypted.
 */
public final class PayloadEncryption implements PayloadCodec {
    static final String ENCODING = "encoding";
    static final ByteString ENCRYPTED = ByteString.copyFromUtf8("binary/encrypted");
    static final String KEY_ID = "encryption-key-id";

    private static final String CIPHER = "AES/GCM/NoPadding";
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    /** Ids are somebody else's words: there may be any number. */
    private static final int MOST_TOLD = 20;

    /** Started, task scheduled, task started. */
    private static final int EVENTS_AT_FIRST = 3;

    private final PayloadKeys keys;
    private final SecureRandom random = new SecureRandom();
    private final Set<String> told = ConcurrentHashMap.newKeySet();
    private volatile Consumer<String> listener = text -> {};

    public PayloadEncryption(PayloadKeys keys) {
        this.keys = keys;
    }

    /** Has {@code listener} hear, once each, why something could not be read. */
    public void onUnreadable(Consumer<String> hears) {
        listener = hears;
    }

    @Override
    public List<Payload> encode(List<Payload> payloads) {
        return keys.isEmpty()
                ? payloads
                : payloads.stream().map(this::encrypted).toList();
    }

    @Override
    public List<Payload> decode(List<Payload> payloads) {
        return payloads.stream().map(this::decrypted).toList();
    }

    private Payload encrypted(Payload payload) {
        String id = keys.current().orElseThrow();
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        try {
            Cipher cipher = cipher(Cipher.ENCRYPT_MODE, keys.key(id).orElseThrow(), nonce);
            byte[] plain = payload.toByteArray();
            byte[] data = Arrays.copyOf(nonce, NONCE_BYTES + cipher.getOutputSize(plain.length));
            cipher.doFinal(plain, 0, plain.length, data, NONCE_BYTES);
            return Payload.newBuilder()
                    .putMetadata(ENCODING, ENCRYPTED)
                    .putMetadata(KEY_ID, ByteString.copyFromUtf8(id))
                    .setData(ByteString.copyFrom(data))
                    .build();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + CIPHER, e);
        }
    }

    private Payload decrypted(Payload payload) {
        if (!ENCRYPTED.equals(payload.getMetadataMap().get(ENCODING))) {
            return payload;
        }
        String id = payload.getMetadataOrDefault(KEY_ID, ByteString.EMPTY).toStringUtf8();
        SecretKey key = keys.key(id).orElseThrow(() -> unreadable(lacking(id), null));
        byte[] data = payload.getData().toByteArray();
        if (data.length < NONCE_BYTES) {
            throw unreadable(damaged(id), null);
        }
        try {
            Cipher cipher = cipher(Cipher.DECRYPT_MODE, key, Arrays.copyOf(data, NONCE_BYTES));
            return Payload.parseFrom(cipher.doFinal(data, NONCE_BYTES, data.length - NONCE_BYTES));
        } catch (AEADBadTagException | InvalidProtocolBufferException e) {
            throw unreadable(damaged(id), e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + CIPHER, e);
        }
    }

    private static Cipher cipher(int mode, SecretKey key, byte[] nonce) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(CIPHER);
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        return cipher;
    }

    private String lacking(String id) {
        String has = keys.isEmpty() ? "which has none" : "which has " + String.join(", ", keys.ids());
        // the id is somebody else's word
        String shown = PayloadKeys.ID.matcher(id).matches() ? id : "?";
        return "a payload is encrypted with key " + shown + ", unknown to this process, " + has
                + "; add that key's line to the file that " + PayloadKeys.VARIABLE + " names, and start again";
    }

    private static String damaged(String id) {
        return "a payload encrypted with key " + id
                + " cannot be read: it is damaged, or another key has that id here; look at the file that "
                + PayloadKeys.VARIABLE + " names";
    }

    /**
     * What ends a run that has not begun, so that nobody waits for it. Later it is nothing that a run should die of: its task fails, is told of, and
     * is tried again, by a worker that has the key.
     */
    private RuntimeException unreadable(String why, Exception cause) {
        if (told.size() < MOST_TOLD && told.add(why)) {
            listener.accept(why);
        }
        boolean begins = WorkflowUnsafe.isWorkflowThread()
                && !WorkflowUnsafe.isReplaying()
                && Workflow.getInfo().getHistoryLength() <= EVENTS_AT_FIRST;
        return begins ? new DataConverterException(why, cause) : new BadInputException(why, cause);
    }
}
