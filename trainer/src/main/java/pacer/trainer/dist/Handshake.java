package pacer.trainer.dist;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The first words on a connection between two ranks. Each proves that it knows the group's token by an HMAC over both sides'
 * nonces, so the token itself is never sent; then the caller says who it is and the listener agrees or says why not.
 *
 * <pre>
 *   caller                                        listener
 *   MAGIC, nonce                            →
 *                                           ←     nonce, HMAC(token, "listener", both nonces)
 *   hello, HMAC(token, "caller", nonces, hello) →
 *                                           ←     "" or the reason of refusal
 * </pre>
 */
final class Handshake {
    private static final long MAGIC = 0x70616365_72640001L; // "pacerd", version 1
    private static final int NONCE = 16;
    private static final int PROOF = 32;
    private static final int LONGEST_HELLO = 1024;

    /** What a caller says of itself. */
    record Hello(int rank, int size, String specHash, int port) {}

    /** The other side is no rank of this group, or not what we took it for. */
    static final class StrangerException extends IOException {
        StrangerException(String message) {
            super(message);
        }
    }

    /** The other side is of this group and refuses. */
    static final class RefusedException extends IOException {
        RefusedException(String reason) {
            super(reason);
        }
    }

    /** Whether a hello is welcome: "" or why not. */
    @FunctionalInterface
    interface Welcome {
        String check(Hello hello);
    }

    private Handshake() {}

    /** The caller's part, over a connection in blocking mode. */
    static void call(SocketChannel channel, String token, Hello hello, Duration patience) throws IOException {
        Socket socket = channel.socket();
        socket.setSoTimeout(Math.toIntExact(Math.max(1, patience.toMillis())));
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        byte[] own = nonce();
        out.write(ByteBuffer.allocate(8 + NONCE).putLong(MAGIC).put(own).array());
        try {
            byte[] theirs = read(in, NONCE);
            byte[] proof = read(in, PROOF);
            if (!MessageDigest.isEqual(proof, proof(token, "listener", own, theirs))) {
                throw new StrangerException("what listens there does not know the ranks' token");
            }
            byte[] text = encode(hello);
            out.writeInt(text.length);
            out.write(text);
            out.write(proof(token, "caller", own, theirs, text));
            String reason = in.readUTF();
            if (!reason.isEmpty()) {
                throw new RefusedException(reason);
            }
        } catch (SocketTimeoutException e) {
            throw new StrangerException("what listens there did not answer within " + patience.toMillis() + " ms");
        }
        socket.setSoTimeout(0);
    }

    /** The listener's part, over a connection in blocking mode; the hello, which {@code welcome} agreed to. */
    static Hello answer(SocketChannel channel, String token, Welcome welcome, Duration patience) throws IOException {
        Socket socket = channel.socket();
        socket.setSoTimeout(Math.toIntExact(Math.max(1, patience.toMillis())));
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        if (in.readLong() != MAGIC) {
            throw new StrangerException("a connection from " + remote(channel) + " was none of a rank");
        }
        byte[] theirs = read(in, NONCE);
        byte[] own = nonce();
        out.write(own);
        out.write(proof(token, "listener", theirs, own));
        int length = in.readInt();
        if (length < 0 || length > LONGEST_HELLO) {
            throw new StrangerException("a connection from " + remote(channel) + " was none of a rank");
        }
        byte[] text = read(in, length);
        byte[] proof = read(in, PROOF);
        if (!MessageDigest.isEqual(proof, proof(token, "caller", theirs, own, text))) {
            throw new StrangerException("a connection from " + remote(channel) + " did not know the ranks' token");
        }
        Hello hello = decode(text);
        String reason = welcome.check(hello);
        out.writeUTF(reason);
        if (!reason.isEmpty()) {
            throw new RefusedException(reason);
        }
        socket.setSoTimeout(0);
        return hello;
    }

    private static byte[] read(DataInputStream in, int length) throws IOException {
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return bytes;
    }

    private static byte[] encode(Hello hello) {
        byte[] hash = hello.specHash().getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(12 + hash.length)
                .putInt(hello.rank())
                .putInt(hello.size())
                .putInt(hello.port())
                .put(hash)
                .array();
    }

    private static Hello decode(byte[] text) throws StrangerException {
        if (text.length < 12) {
            throw new StrangerException("a hello of " + text.length + " bytes");
        }
        ByteBuffer in = ByteBuffer.wrap(text);
        int rank = in.getInt();
        int size = in.getInt();
        int port = in.getInt();
        return new Hello(rank, size, StandardCharsets.UTF_8.decode(in).toString(), port);
    }

    private static byte[] nonce() {
        byte[] nonce = new byte[NONCE];
        new SecureRandom().nextBytes(nonce);
        return nonce;
    }

    private static byte[] proof(String token, String role, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(token.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            mac.update(role.getBytes(StandardCharsets.UTF_8));
            for (byte[] part : parts) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }

    private static String remote(SocketChannel channel) throws IOException {
        return channel.getRemoteAddress() instanceof InetSocketAddress address
                ? address.getAddress().getHostAddress()
                : "nowhere";
    }
}
