package pacer.workflows.metrics;

import java.io.IOException;
import java.util.Optional;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.run.Environment;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.activities.run.Stage;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecException;
import pacer.trainer.spec.SpecLoader;

/**
 * What a run is, from its folder: a worker that is started again in the middle of a run hears nothing of how it began.
 *
 * @param record as it was when these facts were read
 */
record RunFacts(RunRecord record, RunSpec spec) {
    /** Characters of a hash: enough to tell apart what one Prometheus sees. */
    private static final int SHORT = 12;

    private static final String UNKNOWN = "unknown";

    /** Of the run {@code id}; empty when its folder cannot be read: whoever works on the run will say so. */
    static Optional<RunFacts> read(Home home, String id) {
        RunFolder folder = home.run(id);
        try {
            return Optional.of(new RunFacts(folder.read(), SpecLoader.read(folder.preset())));
        } catch (IOException | SpecException e) {
            return Optional.empty();
        }
    }

    /** Values of the info gauge's labels. */
    String[] labels(String role) {
        Environment where = record.trainedIn();
        String dataset = record.stage(Stage.DATASET)
                .map(stage -> stage.resultAs(DatasetResult.class))
                .map(DatasetResult::hash)
                .map(RunFacts::shortened)
                .orElse(UNKNOWN);
        return new String[] {
            role, record.id(), record.preset(), shortened(record.specHash()), commit(where), where.host(), dataset
        };
    }

    private static String commit(Environment where) {
        return where.commit() == null ? UNKNOWN : shortened(where.commit()) + (where.dirty() ? "-dirty" : "");
    }

    private static String shortened(String hash) {
        return hash.substring(0, Math.min(SHORT, hash.length()));
    }

    /** Nats a token that the run is to reach; null where nothing is expected. */
    Double expected() {
        return positive(spec.expectation().validationLoss());
    }

    /** A published loss; null for none. */
    Double reference() {
        return positive(spec.expectation().referenceLoss());
    }

    /** A published share of HellaSwag's endings chosen rightly; null for none. */
    Double referenceHellaSwag() {
        return positive(spec.expectation().referenceHellaSwag());
    }

    /** Null where it is not known. */
    Double dollarsPerHour() {
        return positive(spec.cost().dollarsPerHour());
    }

    private static Double positive(double value) {
        return value > 0 ? value : null;
    }
}
