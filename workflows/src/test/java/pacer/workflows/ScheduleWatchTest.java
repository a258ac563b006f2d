package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.RunRequest;
import pacer.activities.run.TestRuns;
import pacer.workflows.metrics.ScheduleFacts;

/** What a real server says of schedules, as the alert of an overdue night hangs on it. */
@Timeout(180)
class ScheduleWatchTest {
    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private static void create(Schedules schedules, String name, RunRequest request) {
        schedules.create(
                name,
                request,
                new Schedules.Times(
                        Optional.of("0 4 * * 1-5"),
                        null,
                        ZoneId.of("UTC"),
                        Schedules.Overlap.SKIP,
                        Duration.ofHours(1),
                        Duration.ZERO),
                "for a test");
    }

    /** The one schedule as {@code wanted}; visibility takes a moment. */
    private static ScheduleFacts soon(ScheduleWatch watch, Predicate<ScheduleFacts> wanted) throws Exception {
        for (int i = 0; ; i++) {
            List<ScheduleFacts> seen = watch.look();
            if (seen.size() == 1 && wanted.test(seen.getFirst())) {
                return seen.getFirst();
            }
            assertThat(i).as("looks until it is so; it is " + seen).isLessThan(600);
            Thread.sleep(100);
        }
    }

    @Test
    void aReproductionIsOwedUntilOneComesToAVerdict() throws Exception {
        Home home = TestRuns.home(folder);
        Path text = TestRuns.text(folder.resolve("text.txt"), 20);
        SpecLayers missing = TestPipelines.layers(text, "expectation.validationLoss=1.2");
        try (Schedules schedules = Schedules.at(new PipelineOptions(home, SERVER.address(), Map.of()));
                TemporalConnection connection = SERVER.connect()) {
            ScheduleWatch watch = new ScheduleWatch(connection);
            create(schedules, "nightly", missing.reproduction());
            ScheduleFacts fresh = soon(watch, facts -> true);
            assertThat(fresh)
                    .as("weekdays: over a weekend it is three days")
                    .isEqualTo(new ScheduleFacts("nightly", null, null, Duration.ofDays(3)));

            Instant before = Instant.now();
            schedules.trigger("nightly"); // nobody works
            Instant owed = soon(watch, facts -> facts.owedSince() != null).owedSince();
            assertThat(owed).isBetween(before.minusSeconds(1), Instant.now());

            try (Pipeline _ = Pipeline.with(
                    home, SERVER.connect(), TestPipelines.settings(home), EnumSet.allOf(ServiceWorker.Role.class))) {
                ScheduleFacts missed = soon(watch, facts -> facts.lastResult() != null);
                assertThat(missed.owedSince()).as("a miss is a verdict").isNull();
                assertThat(missed.lastResult()).isAfter(owed);

                schedules.delete("nightly");
                create(schedules, "typo", new RunRequest("quickstrat", null, null, null, null, List.of()));
                schedules.trigger("typo");
                Instant first = soon(watch, facts -> facts.owedSince() != null).owedSince();
                Thread.sleep(1100); // what a schedule starts is named by the second
                schedules.trigger("typo");
                Thread.sleep(2000);
                assertThat(soon(watch, facts -> true))
                        .as("since the first of those that failed")
                        .extracting(ScheduleFacts::owedSince, ScheduleFacts::lastResult)
                        .containsExactly(first, null);
            }
            schedules.pause("typo");
            assertThat(soon(watch, facts -> facts.interval() == null).owedSince())
                    .isNotNull();
            schedules.delete("typo");
        }
    }
}
