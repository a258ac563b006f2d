package pacer.workflows;

import io.grpc.CallOptions;
import io.grpc.HandlerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What stands before a Temporal service elsewhere: TLS that asks for a client's certificate too, and an API key. What has both passes to a real
 * server, which has neither of its own.
 */
final class SecuredTemporal implements AutoCloseable {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final String PASSWORD = "changeit";

    /** Names of the calls that came with the key, and of those that did not. */
    final Set<String> admitted = ConcurrentHashMap.newKeySet();

    final Set<String> refused = ConcurrentHashMap.newKeySet();

    private final ManagedChannel behind;
    private final Server server;

    /** Before the service at {@code address}; certificates are made in {@code folder}. */
    SecuredTemporal(String address, String apiKey, Path folder) throws Exception {
        makeCertificate(folder, "server");
        makeCertificate(folder, "client");
        behind = NettyChannelBuilder.forTarget(address)
                .usePlaintext()
                .maxInboundMessageSize(1 << 27)
                .build();
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sslContext(GrpcSslContexts.forServer(
                                certificate(folder, "server").toFile(),
                                key(folder, "server").toFile())
                        .trustManager(certificate(folder, "client").toFile())
                        .clientAuth(ClientAuth.REQUIRE)
                        .build())
                .maxInboundMessageSize(1 << 27)
                .intercept(new KeyCheck("Bearer " + apiKey))
                .fallbackHandlerRegistry(new Forwarding())
                .build()
                .start();
    }

    String address() {
        return "localhost:" + server.getPort();
    }

    static Path certificate(Path folder, String name) {
        return folder.resolve(name + ".pem");
    }

    static Path key(Path folder, String name) {
        return folder.resolve(name + ".key");
    }

    private final class KeyCheck implements ServerInterceptor {
        private final String wanted;

        KeyCheck(String wanted) {
            this.wanted = wanted;
        }

        @Override
        public <A, B> ServerCall.Listener<A> interceptCall(
                ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
            String name = call.getMethodDescriptor().getFullMethodName();
            if (wanted.equals(headers.get(AUTHORIZATION))) {
                admitted.add(name);
                return next.startCall(call, headers);
            }
            refused.add(name);
            call.close(Status.UNAUTHENTICATED.withDescription("Request unauthorized."), new Metadata());
            return new ServerCall.Listener<>() {};
        }
    }

    /** All of Temporal's calls have one request and one answer. */
    private final class Forwarding extends HandlerRegistry {
        @Override
        public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
            MethodDescriptor<byte[], byte[]> method = MethodDescriptor.<byte[], byte[]>newBuilder()
                    .setType(MethodDescriptor.MethodType.UNARY)
                    .setFullMethodName(name)
                    .setRequestMarshaller(new Bytes())
                    .setResponseMarshaller(new Bytes())
                    .build();
            return ServerMethodDefinition.create(
                    method,
                    ServerCalls.asyncUnaryCall((request, answer) ->
                            ClientCalls.asyncUnaryCall(behind.newCall(method, CallOptions.DEFAULT), request, answer)));
        }
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try (stream) {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** One that is its own authority: {@code NAME.pem} and {@code NAME.key}. */
    private static void makeCertificate(Path folder, String name)
            throws IOException, InterruptedException, GeneralSecurityException {
        Path store = folder.resolve(name + ".p12");
        int code = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "test",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=dns:localhost,ip:127.0.0.1",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        PASSWORD)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("keytool.log").toFile())
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException(Files.readString(folder.resolve("keytool.log")));
        }
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        pem(
                certificate(folder, name),
                "CERTIFICATE",
                keys.getCertificate("test").getEncoded());
        pem(
                key(folder, name),
                "PRIVATE KEY",
                keys.getKey("test", PASSWORD.toCharArray()).getEncoded());
    }

    private static void pem(Path file, String what, byte[] content) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        Files.writeString(file, "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(what, body, what));
    }

    @Override
    public void close() throws InterruptedException {
        server.shutdownNow().awaitTermination();
        behind.shutdownNow();
    }
}
