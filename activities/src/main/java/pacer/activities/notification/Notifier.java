package pacer.activities.notification;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import pacer.activities.reproduction.Reproduction;
import pacer.activities.run.Home;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;

/**
 * Tells the webhook, where there is one, of runs that finished, failed, stalled or used up their budget, and of what reproductions came to; not of runs
 * that somebody stopped. What it does not take after some attempts is said, and holds up no run.
 */
public final class Notifier {
    private static final int ATTEMPTS = 3;
    private static final long PAUSE_MILLIS = 1000;

    private final Optional<Webhook> webhook;
    private final Pages pages;
    private final Home home;
    private final RunHub hub;

    /** Where a run is shown. */
    @FunctionalInterface
    public interface Pages {
        /** Addresses of the run's own pages, by name. */
        Map<String, String> of(RunFolder run) throws IOException;
    }

    public Notifier(Optional<Webhook> webhook, Pages pages, Home home, RunHub hub) {
        this.webhook = webhook;
        this.pages = pages;
        this.home = home;
        this.hub = hub;
    }

    /** Hears of a run that was closed; returns when it is told. */
    public void closed(RunEnding ending) {
        boolean byHand = ending.reason() != null && ending.reason().startsWith("stopped on request");
        if (!byHand) {
            tell(ending.run(), Map.of(), (folder, pages) -> webhook.orElseThrow()
                    .tell(folder, (String) null, pages));
        }
    }

    /**
     * Hears of the end of a run whose own host is gone, and does not tell of it; returns when it is told.
     *
     * @param own addresses of the run's own pages, by name, beside those of the notice
     */
    void lost(RunNotice notice, Map<String, String> own) {
        Map<String, String> all = new LinkedHashMap<>(own);
        notice.links().forEach(all::putIfAbsent);
        tell(notice.run(), () -> webhook.orElseThrow().tell(notice, all));
    }

    /**
     * Hears what a reproduction came to; returns when it is told.
     *
     * @param own addresses of the reproduction's own pages, by name
     */
    public void reproduced(Reproduction told, Map<String, String> own) {
        tell(told.run(), own, (folder, pages) -> webhook.orElseThrow().tell(folder, told, pages));
    }

    /** Hears of everything in this process's stages. */
    public void hear(String run, RunUpdate update) {
        if (update instanceof RunUpdate.Stalled stalled) {
            // whoever told is at work
            Thread.ofVirtual()
                    .start(() -> tell(run, Map.of(), (folder, pages) -> webhook.orElseThrow()
                            .tell(folder, "stalled: " + stalled.text(), pages)));
        }
    }

    /** One message. */
    @FunctionalInterface
    private interface Message {
        void send(RunFolder folder, Map<String, String> pages) throws IOException, InterruptedException;
    }

    /** One attempt at it. */
    @FunctionalInterface
    private interface Attempt {
        void send() throws IOException, InterruptedException;
    }

    private void tell(String run, Map<String, String> more, Message message) {
        tell(run, () -> {
            RunFolder folder = home.run(run);
            Map<String, String> all = new LinkedHashMap<>(more);
            pages.of(folder).forEach(all::putIfAbsent);
            message.send(folder, all);
        });
    }

    private void tell(String run, Attempt message) {
        if (webhook.isEmpty()) {
            return;
        }
        for (int attempt = 1; ; attempt++) {
            try {
                message.send();
                return;
            } catch (IOException e) {
                if (attempt == ATTEMPTS) {
                    hub.tell(run, new RunUpdate.Notice(Stage.PUBLISH, Reasons.of(e) + "; nobody was told of this run"));
                    return;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            try {
                Thread.sleep(attempt * PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
