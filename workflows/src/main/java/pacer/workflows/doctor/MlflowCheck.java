package pacer.workflows.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.activities.run.BadInputException;
import pacer.activities.tracking.TrackingProbe;
import pacer.activities.tracking.TrackingSettings;

/** The tracking server: its version, whether runs can be written to the experiment, whether artifacts come and go. */
record MlflowCheck(Map<String, String> environment) {
    private static final String NAME = "mlflow";
    private static final String ARTIFACTS = "artifacts";

    List<Finding> findings() throws InterruptedException {
        try {
            Optional<TrackingSettings> settings = TrackingSettings.of(environment);
            return settings.isEmpty() ? List.of() : findings(settings.get());
        } catch (BadInputException e) {
            return List.of(Finding.bad(NAME, e.getMessage(), "correct it, or unset it"));
        }
    }

    private static List<Finding> findings(TrackingSettings settings) throws InterruptedException {
        List<Finding> findings = new ArrayList<>();
        try (TrackingProbe probe = new TrackingProbe(settings)) {
            String experiment;
            try {
                findings.add(version(settings, probe.version()));
                experiment = probe.write();
                findings.add(Finding.good(NAME, "experiment " + settings.experiment() + " can be read and written"));
            } catch (IOException e) {
                findings.add(
                        Finding.bad(
                                NAME,
                                e.getMessage(),
                                "mend that (pacer up starts the one of this machine again), or unset MLFLOW_TRACKING_URI; pacer publish sends runs later"));
                return findings;
            }
            findings.add(artifacts(probe, experiment));
        }
        return findings;
    }

    private static Finding version(TrackingSettings settings, String version) {
        String text = settings.server() + ", version " + version;
        return Tested.MLFLOW
                .olderThanThis(version)
                .map(older -> version.startsWith("2.") || version.startsWith("1.")
                        ? Finding.bad(NAME, text + ": too old, runs are sent by what came with 3", "upgrade MLflow")
                        : Finding.poor(NAME, text + ", " + older, "upgrade MLflow"))
                .orElseGet(() -> Finding.good(NAME, text));
    }

    private static Finding artifacts(TrackingProbe probe, String experiment) throws InterruptedException {
        try {
            return probe.artifact(experiment)
                    .map(place -> Finding.good(ARTIFACTS, place + ", can be put, read and deleted"))
                    .orElseGet(
                            () -> Finding.poor(
                                    ARTIFACTS,
                                    "the server takes none itself: it gets no reports, samples or weights",
                                    "start the server with --artifacts-destination, and name a new experiment by MLFLOW_EXPERIMENT_NAME"));
        } catch (IOException e) {
            return Finding.bad(
                    ARTIFACTS,
                    e.getMessage(),
                    "look at the server's --artifacts-destination, and whether the server may write there: its log says");
        }
    }
}
