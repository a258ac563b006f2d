package pacer.trainer.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How ranks find each other, and whom they turn away. */
class AssemblyTest {

    @TempDir
    Path folder;

    @Test
    void comesTogetherAtAKnownAddress() throws Exception {
        int port = freePort();
        List<String> outcomes = joinAll(
                group(0, 3, "5pec", Ranks.TOKEN, "127.0.0.1:" + port, 20),
                group(1, 3, "5pec", Ranks.TOKEN, "localhost:" + port, 20),
                group(2, 3, "5pec", Ranks.TOKEN, "127.0.0.1:" + port, 20));
        assertThat(outcomes).containsOnly("joined, sum 3.0");
    }

    @Test
    void takesThePublishedFileAwayOnceAllAreThereAndIsNotMisledByAnOldOne() throws Exception {
        Path file = folder.resolve("rendezvous");
        Files.writeString(file, Integer.toString(freePort()));
        List<String> outcomes;
        try (ExecutorService late = Executors.newSingleThreadExecutor()) {
            Future<List<String>> first =
                    late.submit(() -> joinAll(group(1, 2, "5pec", Ranks.TOKEN, "file:" + file, 20)));
            Thread.sleep(100);
            outcomes = joinAll(group(0, 2, "5pec", Ranks.TOKEN, "file:" + file, 20));
            assertThat(first.get()).containsOnly("joined, sum 1.0");
        }
        assertThat(outcomes).containsOnly("joined, sum 1.0");
        assertThat(file).doesNotExist();
    }

    @Test
    void refusesARankOfAnotherSpecAndTellsBothSidesAndTheOthers() throws Exception {
        String at = "file:" + folder.resolve("r");
        List<String> outcomes = joinAll(
                group(0, 3, "5pec", Ranks.TOKEN, at, 3),
                group(1, 3, "5pec", Ranks.TOKEN, at, 3),
                group(2, 3, "0ther", Ranks.TOKEN, at, 3));
        String reason =
                "rank 2 was started with spec hash 0ther, rank 0 with 5pec: start all ranks from the same resolved spec";
        assertThat(outcomes.get(0)).isEqualTo("rank 0 of 3: " + reason);
        // rank 1 came before the refusal, and was told, or after it, and found nobody
        assertThat(outcomes.get(1)).startsWith("rank 1 of 3: ");
        assertThat(outcomes.get(2)).isEqualTo("rank 2 of 3: rank 0 refused: " + reason);
    }

    @Test
    void refusesARankOfAnotherWorldSize() throws Exception {
        String at = "file:" + folder.resolve("r");
        List<String> outcomes =
                joinAll(group(0, 2, "5pec", Ranks.TOKEN, at, 3), group(2, 4, "5pec", Ranks.TOKEN, at, 3));
        assertThat(outcomes.get(0)).isEqualTo("rank 0 of 2: rank 2 was started for 4 ranks, rank 0 for 2");
        assertThat(outcomes.get(1)).contains("rank 0 refused: rank 2 was started for 4 ranks, rank 0 for 2");
    }

    @Test
    void refusesASecondProcessOfOneRank() throws Exception {
        String at = "file:" + folder.resolve("r");
        List<String> outcomes = joinAll(
                group(0, 3, "5pec", Ranks.TOKEN, at, 3),
                group(1, 3, "5pec", Ranks.TOKEN, at, 3),
                group(1, 3, "5pec", Ranks.TOKEN, at, 3));
        assertThat(outcomes.get(0)).isEqualTo("rank 0 of 3: rank 1 is there twice");
    }

    @Test
    void keepsOutWhoDoesNotKnowTheToken() throws Exception {
        String at = "file:" + folder.resolve("r");
        List<String> outcomes =
                joinAll(group(0, 2, "5pec", Ranks.TOKEN, at, 1), group(1, 2, "5pec", "another secret, as long", at, 1));
        assertThat(outcomes.get(0)).startsWith("rank 0 of 2: rank 1 did not join within 1 s");
        assertThat(outcomes.get(1))
                .startsWith("rank 1 of 2: rank 0 was not found within 1 s")
                .contains("does not know the ranks' token");
    }

    @Test
    void aListenerKeepsOutACallerThatPretendsToKnowTheToken() throws Exception {
        int port = freePort();
        try (ExecutorService ranks = Executors.newSingleThreadExecutor()) {
            Future<List<String>> outcome =
                    ranks.submit(() -> joinAll(group(0, 2, "5pec", Ranks.TOKEN, "127.0.0.1:" + port, 2)));
            try (Socket pretender = connect(port)) {
                // magic, a nonce, and whatever the answer, a hello of 16 bytes with a wrong proof
                pretender
                        .getOutputStream()
                        .write(java.nio.ByteBuffer.allocate(8 + 16 + 4 + 16 + 32)
                                .putLong(0x70616365_72640001L)
                                .position(24)
                                .putInt(16)
                                .putInt(1)
                                .putInt(2)
                                .array());
                assertThat(pretender.getInputStream().readNBytes(1000))
                        .as("a nonce and a proof, and no word more")
                        .hasSize(48);
            }
            assertThat(outcome.get().getFirst())
                    .contains(
                            "rank 1 did not join within 2 s; last: a connection from 127.0.0.1 did not know the ranks' token");
        }
    }

    @Test
    void strangersThatTalkNonsenseOrNotAtAllHoldNobodyUp() throws Exception {
        int port = freePort();
        try (ExecutorService ranks = Executors.newSingleThreadExecutor()) {
            Future<List<String>> zero =
                    ranks.submit(() -> joinAll(group(0, 2, "5pec", Ranks.TOKEN, "127.0.0.1:" + port, 20)));
            try (Socket silent = connect(port);
                    Socket noisy = connect(port)) {
                noisy.getOutputStream()
                        .write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                assertThat(isHungUpOn(noisy)).isTrue();
                assertThat(joinAll(group(1, 2, "5pec", Ranks.TOKEN, "127.0.0.1:" + port, 20)))
                        .containsOnly("joined, sum 1.0");
                assertThat(silent.isConnected()).isTrue();
            }
            assertThat(zero.get()).containsOnly("joined, sum 1.0");
        }
    }

    @Test
    void nobodyIsHeardBeyondLoopbackUnlessAnAddressIsGiven() throws Exception {
        InetAddress another = InetAddress.ofLiteral("127.0.0.2");
        Path file = folder.resolve("rendezvous");
        String at = "file:" + file;
        try (ExecutorService ranks = Executors.newFixedThreadPool(2)) {
            Future<List<String>> zero = ranks.submit(() -> joinAll(group(0, 2, "5pec", Ranks.TOKEN, at, 20)));
            int port = awaitPort(file);
            assertThatThrownBy(() -> new Socket(another, port)).isInstanceOf(ConnectException.class);
            assertThat(joinAll(group(1, 2, "5pec", Ranks.TOKEN, at, 20))).containsOnly("joined, sum 1.0");
            assertThat(zero.get()).containsOnly("joined, sum 1.0");

            Future<List<String>> elsewhere = ranks.submit(() -> joinAll(at(another, 0, at)));
            int there = awaitPort(file);
            assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), there))
                    .isInstanceOf(ConnectException.class);
            assertThat(joinAll(at(another, 1, at))).containsOnly("joined, sum 1.0");
            assertThat(elsewhere.get()).containsOnly("joined, sum 1.0");
        }
    }

    private static Group at(InetAddress address, int rank, String at) {
        Duration patience = Duration.ofSeconds(20);
        return new Group(rank, 2, "5pec", Ranks.TOKEN, Rendezvous.parse(at), Optional.of(address), patience, patience);
    }

    private static int awaitPort(Path file) throws Exception {
        while (!Files.exists(file)) {
            Thread.sleep(10);
        }
        return Integer.parseInt(Files.readString(file));
    }

    /** Rank 1 has been heard, and is gone before rank 2 calls it. */
    @Test
    @Timeout(20)
    void aRankThatDiesBetweenRendezvousAndTheFirstCallEndsTheOthersAtOnceByItsName() throws Exception {
        int port = freePort();
        int nobody = freePort();
        String at = "127.0.0.1:" + port;
        try (ExecutorService ranks = Executors.newFixedThreadPool(2)) {
            Future<List<String>> zero = ranks.submit(() -> joinAll(group(0, 3, "5pec", Ranks.TOKEN, at, 60)));
            connect(port).close();
            try (SocketChannel one =
                    SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
                Handshake.call(one, Ranks.TOKEN, new Handshake.Hello(1, 3, "5pec", nobody), Duration.ofSeconds(5));
            }
            assertThat(joinAll(group(2, 3, "5pec", Ranks.TOKEN, at, 60)).getFirst())
                    .startsWith("rank 2 of 3: ")
                    .containsAnyOf("rank 1", "rank 0 was lost");
            assertThat(zero.get().getFirst()).startsWith("rank 0 of 3: ").containsAnyOf("rank 1", "rank 2");
        }
    }

    @Test
    void namesTheRanksThatDidNotCome() throws Exception {
        String at = "file:" + folder.resolve("r");
        List<String> outcomes =
                joinAll(group(0, 4, "5pec", Ranks.TOKEN, at, 1), group(2, 4, "5pec", Ranks.TOKEN, at, 20));
        assertThat(outcomes.get(0)).isEqualTo("rank 0 of 4: rank 1, 3 did not join within 1 s");
        assertThat(outcomes.get(1))
                .contains("rank 0 could not bring the ranks together: rank 0 of 4: rank 1, 3 did not join");
        assertThat(joinAll(group(1, 2, "5pec", Ranks.TOKEN, at, 1)).getFirst())
                .isEqualTo("rank 1 of 2: rank 0 was not found within 1 s");
    }

    @Test
    void readsAndRefusesSpellingsOfARendezvous() {
        assertThat(Rendezvous.parse("gpu-7:2900")).isEqualTo(new Rendezvous.Address("gpu-7", 2900));
        assertThat(Rendezvous.parse("[::1]:2900")).isEqualTo(new Rendezvous.Address("::1", 2900));
        assertThat(Rendezvous.parse("file:runs/x/rendezvous"))
                .isEqualTo(new Rendezvous.Published(Path.of("runs/x/rendezvous")));
        for (String wrong :
                List.of("", "file:", "host", "host:", ":1", "host:x", "host:0", "host:65536", "host:123456")) {
            assertThatThrownBy(() -> Rendezvous.parse(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> group(2, 2, "s", Ranks.TOKEN, "h:1", 1))
                .hasMessageContaining("rank 2 of 2 ranks cannot be");
        assertThatThrownBy(() -> group(0, 2, "s", "short", "h:1", 1)).hasMessageContaining("at least 16 characters");
        assertThat(group(0, 2, "s", Ranks.TOKEN, "h:1", 1).toString()).doesNotContain("secret");
    }

    private static Group group(int rank, int size, String spec, String token, String at, int seconds) {
        return new Group(
                rank, size, spec, token, Rendezvous.parse(at), Duration.ofSeconds(seconds), Duration.ofSeconds(20));
    }

    /** Joins all of {@code groups} at once; for each, the sum of the ranks or the message of what went wrong. */
    private static List<String> joinAll(Group... groups) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(groups.length)) {
            List<Future<String>> all = new ArrayList<>();
            for (Group group : groups) {
                all.add(threads.submit(() -> {
                    try (SocketCollectives collectives = SocketCollectives.join(group)) {
                        return "joined, sum " + collectives.allReduce((double) group.rank());
                    } catch (CollectiveException e) {
                        return e.getMessage();
                    }
                }));
            }
            List<String> outcomes = new ArrayList<>();
            for (Future<String> one : all) {
                outcomes.add(one.get());
            }
            return outcomes;
        }
    }

    private static boolean isHungUpOn(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() < 0;
        } catch (SocketException reset) {
            return true;
        }
    }

    private static Socket connect(int port) throws Exception {
        for (int attempt = 0; ; attempt++) {
            try {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                socket.setSoTimeout(10_000);
                return socket;
            } catch (IOException notYet) {
                assertThat(attempt).as("attempts to connect").isLessThan(200);
                Thread.sleep(20);
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
