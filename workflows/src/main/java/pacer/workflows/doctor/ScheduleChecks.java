package pacer.workflows.doctor;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.activities.run.Home;
import pacer.workflows.PipelineOptions;
import pacer.workflows.Schedules;

/** What each schedule does next, and what its last reproduction came to. */
record ScheduleChecks(Map<String, String> environment) {

    /** What is looked at of a namespace without schedules. */
    private static final Duration LISTED = Duration.ofDays(7);

    /**
     * How far back the service is asked: the last result of a schedule may be two of its intervals and two hours ago until that raises an alert
     * ({@code infra/prometheus/rules}), and an answer that is gone is none.
     */
    Duration lookedBack(String address) throws IOException {
        Home nowhere = null;
        try (Schedules schedules = Schedules.at(new PipelineOptions(nowhere, address, environment))) {
            return schedules.list().stream()
                    .flatMap(schedule -> schedule.interval().stream())
                    .map(interval -> interval.multipliedBy(2).plusDays(1))
                    .map(time -> Duration.ofDays(time.toDays())) // of whole days, as retention is
                    .reduce(LISTED, (a, b) -> a.compareTo(b) < 0 ? b : a);
        }
    }

    List<Finding> findings(String address) throws IOException {
        List<Finding> findings = new ArrayList<>();
        Home nowhere = null; // schedules are the service's
        try (Schedules schedules = Schedules.at(new PipelineOptions(nowhere, address, environment))) {
            for (Schedules.Standing schedule : schedules.list()) {
                findings.add(finding(schedule, schedules.last(schedule)));
            }
        }
        return findings;
    }

    private static Finding finding(Schedules.Standing schedule, Optional<Schedules.Outcome> last) {
        String name = schedule.name();
        String came = last.map(ScheduleChecks::said)
                .orElse(
                        schedule.recent().isEmpty()
                                ? "has started nothing yet"
                                : "what it started last is no longer known");
        if (schedule.paused()) {
            return Finding.poor("schedule", name + ": paused; " + came, "pacer schedule unpause " + name);
        }
        String next = schedule.next().isEmpty()
                ? "; starts nothing more"
                : "; next " + schedule.next().getFirst();
        String text = name + ": " + came + next;
        boolean sound = last.isEmpty()
                || List.of("COMPLETED", "RUNNING").contains(last.get().status());
        return sound
                ? Finding.good("schedule", text)
                : Finding.poor(
                        "schedule",
                        text,
                        "its page in Temporal's UI says why; mend that, then: pacer schedule trigger " + name);
    }

    private static String said(Schedules.Outcome last) {
        String how =
                switch (last.status()) {
                    case "COMPLETED" -> "is done";
                    case "RUNNING" -> "is at work";
                    case "FAILED" -> "failed";
                    case "CANCELED", "TERMINATED" -> "was stopped";
                    default -> last.status();
                };
        return last.workflow() + " " + how + (last.verdict() == null ? "" : " (" + last.verdict() + ")");
    }
}
