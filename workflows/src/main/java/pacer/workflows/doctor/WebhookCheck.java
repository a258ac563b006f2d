package pacer.workflows.doctor;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import pacer.activities.notification.Webhook;
import pacer.activities.run.BadInputException;

/** The webhook, without a message: that would reach people. */
record WebhookCheck(Map<String, String> environment) {
    private static final String NAME = "webhook";

    List<Finding> findings() {
        try {
            Optional<Webhook> webhook = Webhook.of(environment, Map.of());
            if (webhook.isEmpty()) {
                return List.of();
            }
            webhook.get().knock();
            return List.of(Finding.good(
                    NAME,
                    "%s is reached, in the form of %s; whether it takes messages, only one would show: none was sent"
                            .formatted(
                                    webhook.get().url().getHost(),
                                    webhook.get().format().name().toLowerCase(Locale.ROOT))));
        } catch (BadInputException e) {
            return List.of(Finding.bad(NAME, e.getMessage(), "correct it, or unset it"));
        } catch (IOException e) {
            return List.of(Finding.bad(
                    NAME,
                    e.getMessage(),
                    "correct PACER_WEBHOOK, or let workers reach that host; unset it to tell nobody"));
        }
    }
}
