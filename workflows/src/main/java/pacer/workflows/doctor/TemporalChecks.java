package pacer.workflows.doctor;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import pacer.activities.run.BadInputException;
import pacer.workflows.Deployment;
import pacer.workflows.SearchAttributes;
import pacer.workflows.TemporalAddress;
import pacer.workflows.TemporalConnection;
import pacer.workflows.TemporalSurvey;

/** The Temporal service: its version, the namespace, who listens, by what runs are found, what schedules came to. */
record TemporalChecks(Map<String, String> environment) {
    List<Finding> findings(String address) {
        List<Finding> findings = new ArrayList<>();
        try (TemporalConnection connection = TemporalConnection.open(TemporalAddress.find(address, environment))) {
            String description = connection.description().replaceFirst("^Temporal: ", "");
            if (connection.isEmbedded()) {
                findings.add(Finding.good("temporal", description));
                return findings;
            }
            TemporalSurvey survey = connection.survey();
            findings.add(version(description, survey.serverVersion()));
            Optional<Duration> retention = survey.retention();
            if (retention.isEmpty()) {
                findings.add(noNamespace(survey.namespace()));
                return findings;
            }
            ScheduleChecks schedules = new ScheduleChecks(environment);
            findings.add(namespace(survey.namespace(), retention.get(), schedules.lookedBack(address)));
            findings.add(workers(connection));
            findings.add(hosts(survey));
            if (!environment.getOrDefault("PACER_STORE", "").isBlank() && !survey.sharesDatasets()) {
                findings.add(Finding.poor(
                        "datasets",
                        "no worker takes parts of datasets, though there is a store",
                        "give the workers of each host PACER_STORE too, and start them again"));
            }
            versions(connection).ifPresent(findings::add);
            findings.add(search(survey.searchAttributes()));
            findings.addAll(schedules.findings(address));
        } catch (BadInputException e) {
            if (address != null) {
                throw e; // of this very command
            }
            findings.add(Finding.bad("temporal", e.getMessage(), "correct it, or unset it"));
        } catch (IOException e) {
            findings.add(Finding.bad(
                    "temporal", e.getMessage(), "start the service, or unset the address to use one in this process"));
        }
        return findings;
    }

    private static Finding version(String description, String version) {
        String text = description + ", version " + version;
        return Tested.TEMPORAL
                .olderThanThis(version)
                .map(older -> Finding.poor("temporal", text + ", " + older, "upgrade the Temporal server"))
                .orElseGet(() -> Finding.good("temporal", text));
    }

    private static Finding noNamespace(String name) {
        return Finding.bad(
                "namespace",
                name + ": the service has no such namespace",
                "name another with TEMPORAL_NAMESPACE, or make it: temporal operator namespace create --namespace "
                        + name + " --retention 90d");
    }

    /** Lists of runs, and alerts about schedules, know nothing of what is kept no more. */
    private static Finding namespace(String name, Duration retention, Duration lookedBack) {
        String text = "%s, keeps what is over for %s".formatted(name, said(retention));
        return retention.compareTo(lookedBack) >= 0
                ? Finding.good("namespace", text)
                : Finding.poor(
                        "namespace",
                        "%s; lists of runs, and the alerts PacerNightlyOverdue and PacerNightlyMissed, look back for %s"
                                .formatted(text, said(lookedBack)),
                        "temporal operator namespace update --namespace %s --retention 90d".formatted(name));
    }

    private static String said(Duration time) {
        return time.toHours() % 24 == 0 && time.toDays() > 1 ? time.toDays() + " days" : time.toHours() + " hours";
    }

    private static Finding workers(TemporalConnection connection) throws IOException {
        if (connection.isWorkedOn()) {
            return Finding.good("workers", "a worker listens for runs");
        }
        String nobody = connection
                .currentVersion()
                .map(version -> "no worker of " + version + " listens, to which runs are given")
                .orElse("no worker listens: who starts a run works on it");
        return Finding.poor("workers", nobody, "start one on each machine that trains: pacer worker");
    }

    /** Where runs can be opened and trained. */
    private static Finding hosts(TemporalSurvey survey) throws IOException {
        List<TemporalSurvey.WorkingHost> hosts = survey.hosts();
        if (hosts.isEmpty()) {
            return Finding.poor(
                    "hosts",
                    "no host listens: runs that are started elsewhere wait for one",
                    "start one on each machine that trains: pacer worker --roles host");
        }
        String text = hosts.stream().map(TemporalChecks::said).collect(Collectors.joining(", "));
        boolean silent = hosts.stream().anyMatch(host -> !host.there());
        return silent
                ? Finding.poor(
                        "hosts",
                        text,
                        "look at the log of a host that does not answer: it is older than these commands, or about to end")
                : Finding.good("hosts", text);
    }

    private static String said(TemporalSurvey.WorkingHost host) {
        String how = !host.there() ? "does not answer" : host.free() ? "free" : "training";
        return host.name() + " (" + how + ")";
    }

    /** Empty where neither the service nor this environment knows of versions. */
    private Optional<Finding> versions(TemporalConnection connection) throws IOException {
        Optional<Deployment> current = connection.currentVersion();
        Optional<Deployment> here = Deployment.of(environment);
        if (current.equals(here)) {
            return here.map(version -> Finding.good("version", version + ", to which runs are given"));
        }
        return Optional.of(Finding.poor(
                "version",
                "runs are given to " + current.map(Deployment::toString).orElse("workers without a version")
                        + "; a worker started here would be "
                        + here.map(Deployment::toString).orElse("one without"),
                here.isPresent()
                        ? "when a worker of it listens: pacer promote"
                        : "set PACER_DEPLOYMENT as for the workers"));
    }

    private static Finding search(Map<String, String> there) {
        List<String> wrong = new ArrayList<>();
        StringBuilder remove = new StringBuilder();
        StringBuilder create = new StringBuilder();
        SearchAttributes.types().forEach((name, type) -> {
            String found = there.get(name);
            if (type.equals(found)) {
                return;
            }
            wrong.add(found == null ? "lacks " + name : "has " + name + " as " + found + ", not " + type);
            if (found != null) {
                remove.append(" --name ").append(name);
            }
            create.append(" --name ").append(name).append(" --type ").append(type);
        });
        if (wrong.isEmpty()) {
            return Finding.good("search", "runs are found by preset, loss, commit, verdict");
        }
        String first = remove.isEmpty() ? "" : "temporal operator search-attribute remove --yes" + remove + "; ";
        return Finding.poor(
                "search",
                "runs are not found by preset, loss, commit, verdict: the namespace " + String.join(", ", wrong),
                first + "temporal operator search-attribute create" + create);
    }
}
