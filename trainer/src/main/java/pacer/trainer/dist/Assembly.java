package pacer.trainer.dist;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Brings the ranks of a group together: afterwards each has one connection to every other. All call rank 0, which tells them each
 * other's addresses once it has heard of all; then each calls the ranks below it and answers those above.
 */
final class Assembly {
    private static final Duration HANDSHAKE = Duration.ofSeconds(5);

    private final Group group;
    private final long end;
    private final SocketChannel[] channels;
    /** What went wrong last without being final, to explain a timeout. */
    private volatile String lastProblem = "";

    private Assembly(Group group) {
        this.group = group;
        this.end = System.nanoTime() + group.joinTimeout().toNanos();
        this.channels = new SocketChannel[group.size()];
    }

    /** Connections to the other ranks, by rank, null at the own one; in blocking mode. */
    static SocketChannel[] assemble(Group group) {
        Assembly assembly = new Assembly(group);
        boolean complete = false;
        try {
            if (group.rank() == 0) {
                assembly.gather();
            } else {
                assembly.join();
            }
            for (SocketChannel channel : assembly.channels) {
                if (channel != null) {
                    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                    channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
                }
            }
            complete = true;
            return assembly.channels;
        } catch (IOException e) {
            throw new CollectiveException(group + ": cannot join: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CollectiveException(group + ": interrupted while joining", e);
        } finally {
            if (!complete) {
                assembly.closeAll();
            }
        }
    }

    private void gather() throws IOException, InterruptedException {
        int[] ports = new int[group.size()];
        try (ServerSocketChannel listener = ServerSocketChannel.open()) {
            listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            try {
                listener.bind(group.rendezvous().toListen(group.own()));
            } catch (IOException e) {
                throw new IOException(
                        "cannot listen at " + group.rendezvous().toListen(group.own()) + ": " + e.getMessage(), e);
            }
            group.rendezvous().publish(port(listener));
            accept(listener, 1, ports);
        } catch (IOException | CollectiveException e) {
            tellAll(e.getMessage(), ports);
            throw e;
        } finally {
            group.rendezvous().withdraw();
        }
        tellAll("", ports);
    }

    /** Sends every rank that is there the outcome and, if that is good, the others' addresses. Who is gone by now keeps nobody from hearing it. */
    private void tellAll(String failure, int[] ports) throws IOException {
        ByteArrayOutputStream outcome = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(outcome);
        out.writeUTF(failure);
        for (int rank = 1; failure.isEmpty() && rank < group.size(); rank++) {
            out.writeUTF(((InetSocketAddress) channels[rank].getRemoteAddress())
                    .getAddress()
                    .getHostAddress());
            out.writeInt(ports[rank]);
        }
        IOException gone = null;
        for (int rank = 1; rank < group.size(); rank++) {
            if (channels[rank] != null) {
                try {
                    channels[rank].socket().getOutputStream().write(outcome.toByteArray());
                } catch (IOException e) {
                    gone = new IOException("rank " + rank + " was lost before all were there: " + e.getMessage(), e);
                }
            }
        }
        if (gone != null && failure.isEmpty()) {
            throw gone; // else what failed before it is told
        }
    }

    private void join() throws IOException, InterruptedException {
        int rank = group.rank();
        try (ServerSocketChannel listener = ServerSocketChannel.open()) {
            channels[0] = call(group.rendezvous(), listener);
            channels[0].socket().setSoTimeout(millis(remaining()));
            DataInputStream in = new DataInputStream(channels[0].socket().getInputStream());
            List<InetSocketAddress> addresses = new ArrayList<>();
            try {
                String failure = in.readUTF();
                if (!failure.isEmpty()) {
                    throw new CollectiveException(group + ": rank 0 could not bring the ranks together: " + failure);
                }
                for (int other = 1; other < group.size(); other++) {
                    addresses.add(new InetSocketAddress(InetAddress.ofLiteral(in.readUTF()), in.readInt()));
                }
            } catch (IOException e) {
                throw new IOException("rank 0 was lost while waiting for the other ranks: " + e, e);
            }
            channels[0].socket().setSoTimeout(0);
            for (int lower = 1; lower < rank; lower++) {
                channels[lower] = open();
                try {
                    channels[lower].socket().connect(addresses.get(lower - 1), millis(remaining()));
                    Handshake.call(channels[lower], group.token(), hello(0), remaining());
                } catch (IOException e) {
                    throw new IOException(
                            "rank " + lower + ", at " + addresses.get(lower - 1) + ": " + e.getMessage(), e);
                }
            }
            accept(listener, rank + 1, new int[group.size()]);
        }
    }

    /** Calls rank 0 until it answers; binds {@code listener} on the way that leads to it. */
    private SocketChannel call(Rendezvous rendezvous, ServerSocketChannel listener)
            throws IOException, InterruptedException {
        while (!remaining().isZero()) {
            Optional<InetSocketAddress> address = rendezvous.toConnect(group.own());
            if (address.isPresent()) {
                SocketChannel channel = open();
                boolean answered = false;
                try {
                    if (address.get().isUnresolved()) {
                        throw new IOException("unknown host " + address.get().getHostString());
                    }
                    channel.socket().connect(address.get(), millis(remaining()));
                    if (listener.getLocalAddress() == null) {
                        listener.bind(
                                new InetSocketAddress(((InetSocketAddress) channel.getLocalAddress()).getAddress(), 0));
                    }
                    Handshake.call(channel, group.token(), hello(port(listener)), min(remaining(), HANDSHAKE));
                    answered = true;
                    return channel;
                } catch (Handshake.RefusedException e) {
                    throw new CollectiveException(group + ": rank 0 refused: " + e.getMessage());
                } catch (IOException e) {
                    lastProblem = "; last: " + address.get() + ": " + e.getMessage();
                } finally {
                    if (!answered) {
                        channel.close();
                    }
                }
            }
            Thread.sleep(20);
        }
        throw new CollectiveException(
                group + ": rank 0 was not found within " + group.joinTimeout().toSeconds() + " s" + lastProblem);
    }

    /** A channel that calls from this host's address, where it was told one: others see from where a rank calls, and answer there. */
    private SocketChannel open() throws IOException {
        SocketChannel channel = SocketChannel.open();
        if (group.address().isPresent()) {
            channel.bind(new InetSocketAddress(group.own(), 0));
        }
        return channel;
    }

    private sealed interface Outcome {
        record Joined(Handshake.Hello hello, SocketChannel channel) implements Outcome {}

        record Impossible(String reason) implements Outcome {}
    }

    /** Answers until every rank from {@code first} on has called; notes the port at which each listens. */
    private void accept(ServerSocketChannel listener, int first, int[] ports) throws IOException, InterruptedException {
        BlockingQueue<Outcome> outcomes = new LinkedBlockingQueue<>();
        Set<Integer> claimed = new HashSet<>();
        Set<Integer> missing = new HashSet<>();
        for (int rank = first; rank < group.size(); rank++) {
            missing.add(rank);
        }
        if (missing.isEmpty()) {
            return;
        }
        // strangers may call too, and say nothing: each call is answered on its own thread
        Thread.ofVirtual().start(() -> {
            while (listener.isOpen()) {
                try {
                    SocketChannel channel = listener.accept();
                    Thread.ofVirtual().start(() -> answer(channel, first, claimed, outcomes));
                } catch (ClosedChannelException done) {
                    return;
                } catch (IOException e) {
                    lastProblem = "; last: " + e.getMessage();
                }
            }
        });
        while (!missing.isEmpty()) {
            switch (outcomes.poll(remaining().toNanos(), TimeUnit.NANOSECONDS)) {
                case null ->
                    throw new CollectiveException(group + ": rank "
                            + String.join(
                                    ", ",
                                    missing.stream()
                                            .sorted()
                                            .map(Object::toString)
                                            .toList()) + " did not join within "
                            + group.joinTimeout().toSeconds() + " s" + lastProblem);
                case Outcome.Impossible(String reason) -> throw new CollectiveException(group + ": " + reason);
                case Outcome.Joined(Handshake.Hello hello, SocketChannel channel) -> {
                    channels[hello.rank()] = channel;
                    ports[hello.rank()] = hello.port();
                    missing.remove(hello.rank());
                }
            }
        }
    }

    private void answer(SocketChannel channel, int first, Set<Integer> claimed, BlockingQueue<Outcome> outcomes) {
        boolean joined = false;
        AtomicInteger claim = new AtomicInteger(-1);
        try {
            Handshake.Hello hello =
                    Handshake.answer(channel, group.token(), h -> check(h, first, claimed, claim), HANDSHAKE);
            joined = true;
            outcomes.add(new Outcome.Joined(hello, channel));
        } catch (Handshake.RefusedException e) {
            outcomes.add(new Outcome.Impossible(e.getMessage()));
        } catch (IOException e) {
            lastProblem = "; last: " + e.getMessage();
            synchronized (claimed) {
                claimed.remove(claim.get()); // it did not hear that it was taken, and will call again
            }
        } finally {
            if (!joined) {
                closeQuietly(channel);
            }
        }
    }

    private String check(Handshake.Hello hello, int first, Set<Integer> claimed, AtomicInteger claim) {
        String who = "rank " + hello.rank();
        if (hello.size() != group.size()) {
            return who + " was started for " + hello.size() + " ranks, rank " + group.rank() + " for " + group.size();
        }
        if (!hello.specHash().equals(group.specHash())) {
            return who + " was started with spec hash " + hello.specHash() + ", rank " + group.rank() + " with "
                    + group.specHash() + ": start all ranks from the same resolved spec";
        }
        synchronized (claimed) {
            boolean expected = hello.rank() >= first && hello.rank() < group.size();
            if (!expected || !claimed.add(hello.rank())) {
                return who + " is there twice";
            }
            claim.set(hello.rank());
            return "";
        }
    }

    private Handshake.Hello hello(int port) {
        return new Handshake.Hello(group.rank(), group.size(), group.specHash(), port);
    }

    private Duration remaining() {
        return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }

    /** A timeout for sockets, which take 0 for none. */
    private static int millis(Duration time) {
        return Math.toIntExact(Math.max(1, time.toMillis()));
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private static int port(ServerSocketChannel listener) throws IOException {
        return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    }

    private void closeAll() {
        for (SocketChannel channel : channels) {
            if (channel != null) {
                closeQuietly(channel);
            }
        }
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException ignored) {
            // nothing is lost with a connection that is given up
        }
    }
}
