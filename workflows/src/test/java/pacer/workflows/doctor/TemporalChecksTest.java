package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.Ports;
import pacer.activities.run.Home;
import pacer.activities.run.RunRequest;
import pacer.activities.run.TestRuns;
import pacer.trainer.durable.Host;
import pacer.workflows.PipelineOptions;
import pacer.workflows.Retention;
import pacer.workflows.Schedules;
import pacer.workflows.ServiceWorker;
import pacer.workflows.TemporalServer;

/** A real Temporal server, with one thing wrong at a time. */
@Timeout(120)
class TemporalChecksTest {
    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private static List<Finding> findings(Map<String, String> more) {
        Map<String, String> environment = new HashMap<>(more);
        environment.put("TEMPORAL_ADDRESS", SERVER.address());
        return new TemporalChecks(environment).findings(null);
    }

    private ServiceWorker worker(String metrics, ServiceWorker.Role... roles) throws Exception {
        Home home = TestRuns.home(folder);
        EnumSet<ServiceWorker.Role> all = EnumSet.noneOf(ServiceWorker.Role.class);
        all.addAll(List.of(roles));
        return ServiceWorker.start(
                new PipelineOptions(home, SERVER.address(), Map.of()), all, metrics, (run, update) -> {}, text -> {});
    }

    private interface Look {
        List<Finding> now() throws Exception;
    }

    /** A worker is heard of a moment after it has begun. */
    private static List<Finding> soon(Look look, String name, String part) throws Exception {
        List<Finding> findings = look.now();
        for (int i = 0;
                i < 200
                        && findings.stream()
                                .noneMatch(
                                        f -> f.name().equals(name) && f.text().contains(part));
                i++) {
            Thread.sleep(100);
            findings = look.now();
        }
        return findings;
    }

    @Test
    void theServerThatPacerIsTestedWithIsNotTooOld() {
        Found.good(findings(Map.of()), "temporal", "version " + Tested.TEMPORAL.version());
    }

    @Test
    void whoListensIsSeenAndWhereTrainingsCanGo() throws Exception {
        int port = Ports.free();
        try (ServiceWorker _ = worker("127.0.0.1:" + port, ServiceWorker.Role.CONTROL, ServiceWorker.Role.HOST)) {
            String free = Host.name() + " (free)";
            List<Finding> findings = soon(() -> findings(Map.of()), "hosts", free);
            Found.good(findings, "hosts", free);
            Found.good(findings, "workers", "a worker listens");
            Found.poor(findings(Map.of("PACER_STORE", "s3://models")), "datasets", "no worker takes parts");
            Found.good(
                    new MetricsCheck(Map.of("PACER_METRICS", "0.0.0.0:" + port)).findings(),
                    "metrics",
                    "series of pacer");
            Finding other = Found.bad(
                    new MetricsCheck(Map.of("PACER_METRICS_URL", SERVER.uiAddress())).findings(),
                    "metrics",
                    "another program answers there");
            assertThat(other.remedy()).contains("PACER_METRICS=HOST:PORT");
        }
        Found.bad(new MetricsCheck(Map.of("PACER_METRICS", "" + port)).findings(), "metrics", "does not answer");
    }

    /** In a namespace of its own: the service remembers the workers of other tests for minutes. */
    @Test
    void whereNobodyListensThatIsSaid() throws Exception {
        SERVER.temporal("operator", "namespace", "create", "--namespace", "quiet", "--retention", "24h");
        List<Finding> findings =
                soon(() -> findings(Map.of("TEMPORAL_NAMESPACE", "quiet")), "hosts", "no host listens");
        Found.poor(findings, "workers", "no worker listens");
        Found.poor(findings, "hosts", "no host listens");
        assertThat(Found.poor(findings, "namespace", "quiet, keeps what is over for 24 hours; lists of runs")
                        .remedy())
                .isEqualTo("temporal operator namespace update --namespace quiet --retention 90d");
        assertThat(Found.poor(findings, "search", "lacks PacerPreset, lacks PacerStage")
                        .remedy())
                .contains("--name PacerVerdict --type Keyword");
    }

    /** In a namespace of its own, for the same reason. */
    @Test
    void historiesAreToBeKeptForTwoIntervalsOfTheLongestSchedule() throws Exception {
        SERVER.temporal("operator", "namespace", "create", "--namespace", "weekly", "--retention", "8d");
        Map<String, String> weekly = Map.of("TEMPORAL_NAMESPACE", "weekly");
        Found.good(
                soon(() -> findings(weekly), "namespace", "weekly"),
                "namespace",
                "weekly, keeps what is over for 8 days");
        try (Schedules schedules = Schedules.at(
                new PipelineOptions(TestRuns.home(folder), SERVER.address(), Map.of("TEMPORAL_NAMESPACE", "weekly")))) {
            schedules.create(
                    "sundays",
                    new RunRequest("quickstart", null, null, null, null, List.of()),
                    new Schedules.Times(
                            Optional.of("0 4 * * 0"),
                            null,
                            ZoneId.of("UTC"),
                            Schedules.Overlap.SKIP,
                            Duration.ofHours(1),
                            Duration.ZERO),
                    "once a week");
            Found.poor(
                    soon(() -> findings(weekly), "namespace", "look back"),
                    "namespace",
                    "PacerNightlyMissed, look back for 15 days");
            schedules.delete("sundays");
        }
        SERVER.temporal("operator", "namespace", "update", "--namespace", "weekly", "--retention", "90d");
        Found.good(
                soon(() -> findings(weekly), "namespace", "90 days"),
                "namespace",
                "weekly, keeps what is over for 90 days");
    }

    @Test
    void theStackKeepsHistoriesForWeeksAndNeverShortensWhatSomebodyHasSet() throws Exception {
        Retention.extend(SERVER.address(), Duration.ofDays(90));
        Retention.extend(SERVER.address(), Duration.ofDays(30));
        Found.good(findings(Map.of()), "namespace", "default, keeps what is over for 90 days");
    }

    @Test
    void aNamespaceThatIsNotThereIsSaidWithTheCommandThatMakesIt() {
        List<Finding> findings = findings(Map.of("TEMPORAL_NAMESPACE", "elsewhere"));
        assertThat(Found.bad(findings, "namespace", "elsewhere").remedy())
                .contains("temporal operator namespace create --namespace elsewhere");
        assertThat(findings).noneMatch(f -> f.name().equals("workers"));
    }

    @Test
    void aSearchAttributeOfAnotherTypeIsSaid() throws Exception {
        Found.good(findings(Map.of()), "search", "runs are found");
        try {
            SERVER.temporal("operator", "search-attribute", "remove", "--name", "PacerStep", "--yes");
            Finding lacking = Found.poor(findings(Map.of()), "search", "lacks PacerStep");
            assertThat(lacking.remedy())
                    .startsWith("temporal operator search-attribute create --name PacerStep --type Int");
            SERVER.temporal("operator", "search-attribute", "create", "--name", "PacerStep", "--type", "Keyword");
            Finding wrong = Found.poor(findings(Map.of()), "search", "has PacerStep as Keyword, not Int");
            assertThat(wrong.remedy()).startsWith("temporal operator search-attribute remove --yes --name PacerStep; ");
        } finally {
            SERVER.temporal("operator", "search-attribute", "remove", "--name", "PacerStep", "--yes");
            SERVER.temporal("operator", "search-attribute", "create", "--name", "PacerStep", "--type", "Int");
        }
        Found.nothingWrong(findings(Map.of()).stream()
                .filter(f -> f.name().equals("search"))
                .toList());
    }

    @Test
    void whatAScheduleCameToIsTold() throws Exception {
        RunRequest typo = new RunRequest("quickstrat", null, null, null, null, List.of());
        try (Schedules schedules =
                Schedules.at(new PipelineOptions(TestRuns.home(folder), SERVER.address(), Map.of()))) {
            schedules.create(
                    "nightly",
                    typo,
                    new Schedules.Times(
                            Optional.of("0 4 * * *"),
                            null,
                            ZoneId.of("UTC"),
                            Schedules.Overlap.SKIP,
                            Duration.ofHours(1),
                            Duration.ZERO),
                    "a typo");
            Look look = () -> findings(Map.of());
            soon(look, "schedule", "nightly");
            Found.good(findings(Map.of()), "schedule", "nightly: has started nothing yet; next ");
            try (ServiceWorker _ = worker(null, ServiceWorker.Role.CONTROL, ServiceWorker.Role.HOST)) {
                schedules.trigger("nightly");
                assertThat(Found.poor(soon(look, "schedule", " failed"), "schedule", " failed")
                                .remedy())
                        .contains("pacer schedule trigger nightly");
            }
            schedules.pause("nightly");
            assertThat(Found.poor(soon(look, "schedule", "paused"), "schedule", "paused")
                            .remedy())
                    .contains("pacer schedule unpause nightly");
            assertThat(schedules.list()).singleElement().satisfies(one -> {
                assertThat(one.note()).as("what it does, still").isEqualTo("a typo");
                assertThat(one.paused()).isTrue();
            });
            schedules.delete("nightly");
        }
    }

    @Test
    void aServiceThatIsNotThereIsOneFinding() {
        Finding finding = Found.bad(
                new TemporalChecks(Map.of()).findings("127.0.0.1:1"),
                "temporal",
                "no Temporal service answers at 127.0.0.1:1");
        assertThat(finding.remedy()).contains("start the service");
        Map<String, String> unreadable = Map.of("TEMPORAL_ADDRESS", SERVER.address(), "PACER_PAYLOAD_KEYS", "/nowhere");
        Found.bad(new TemporalChecks(unreadable).findings(null), "temporal", "no such file");
    }
}
