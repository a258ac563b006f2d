package pacer.activities.process;

import java.time.Duration;
import java.util.Map;
import pacer.activities.run.BadInputException;

/** How long nothing was heard of processes that tell of their work: those silent for too long are taken for hung. */
public final class Silence {
    private static final String LIMIT = "PACER_STALL_TIMEOUT";
    private static final Duration USUAL = Duration.ofMinutes(15);
    private static final int LEAST = 10; // signs of life are two seconds apart, and machines may be busy
    private static final int MOST = 24 * 3600;

    private volatile long since = System.nanoTime();

    /**
     * After how long they are: {@value #LIMIT} of {@code environment} in seconds, else a quarter of an hour.
     *
     * @throws BadInputException when it is no such number
     */
    public static Duration limit(Map<String, String> environment) {
        String text = environment.getOrDefault(LIMIT, "").strip();
        if (text.isEmpty()) {
            return USUAL;
        }
        int seconds = text.matches("[0-9]{1,8}") ? Integer.parseInt(text) : 0;
        if (seconds < LEAST || seconds > MOST) {
            throw new BadInputException(
                    "%s: '%s' is no number of seconds from %d to %d".formatted(LIMIT, text, LEAST, MOST));
        }
        return Duration.ofSeconds(seconds);
    }

    /** To be called when something was heard. */
    public void broken() {
        since = System.nanoTime();
    }

    /** Whether nothing was heard for longer than {@code patience}. */
    public boolean isLongerThan(Duration patience) {
        return System.nanoTime() - since > patience.toNanos();
    }
}
