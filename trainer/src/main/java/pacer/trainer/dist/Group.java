package pacer.trainer.dist;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;

/**
 * Who is to come together, and this process's part in it.
 *
 * @param rank of this process, from 0
 * @param size number of ranks
 * @param specHash hash of the resolved run spec; every rank must have the same
 * @param token secret that the ranks share (see {@link #tokenFromEnvironment}); a new one for each attempt keeps zombies out
 * @param rendezvous where rank 0 is found
 * @param joinTimeout longest wait for all ranks to be there
 * @param address of this host at which the other ranks reach it; empty: loopback, which is where ranks of one machine meet
 * @param timeout longest silence of a rank in a collective call. Must be longer than what one rank does alone, such as
 *     writing a checkpoint
 */
public record Group(
        int rank,
        int size,
        String specHash,
        String token,
        Rendezvous rendezvous,
        Optional<InetAddress> address,
        Duration joinTimeout,
        Duration timeout) {
    /** The environment variable that carries the token. */
    public static final String TOKEN_VARIABLE = "PACER_RENDEZVOUS_TOKEN";

    private static final int SHORTEST_TOKEN = 16;

    public Group {
        if (size < 1 || rank < 0 || rank >= size) {
            throw new IllegalArgumentException("rank " + rank + " of " + size + " ranks cannot be; ranks count from 0");
        }
        if (token.length() < SHORTEST_TOKEN || specHash.length() > 200) {
            throw new IllegalArgumentException("the ranks' token must have at least " + SHORTEST_TOKEN
                    + " characters (and the spec hash at most 200)");
        }
        if (!timeout.isPositive() || !joinTimeout.isPositive()) {
            throw new IllegalArgumentException("timeouts must be positive; got " + joinTimeout + " and " + timeout);
        }
    }

    /** A group of ranks on this machine. */
    public Group(
            int rank,
            int size,
            String specHash,
            String token,
            Rendezvous rendezvous,
            Duration joinTimeout,
            Duration timeout) {
        this(rank, size, specHash, token, rendezvous, Optional.empty(), joinTimeout, timeout);
    }

    /** Where this rank listens, and what it calls from: never beyond loopback unless it was told an address. */
    InetAddress own() {
        return address.orElseGet(InetAddress::getLoopbackAddress);
    }

    /** The token in {@value #TOKEN_VARIABLE}: not on the command line, where other users of the machine could read it. */
    public static String tokenFromEnvironment() {
        String token = System.getenv(TOKEN_VARIABLE);
        if (token == null || token.length() < SHORTEST_TOKEN) {
            throw new IllegalArgumentException("the environment variable " + TOKEN_VARIABLE
                    + " must hold the secret that the ranks" + " share, at least " + SHORTEST_TOKEN + " characters");
        }
        return token;
    }

    @Override
    public String toString() {
        return "rank " + rank + " of " + size; // and never the token
    }
}
