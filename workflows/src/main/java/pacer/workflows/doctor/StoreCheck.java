package pacer.workflows.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.activities.run.BadInputException;
import pacer.activities.store.StoreProbe;
import pacer.activities.store.StoreSettings;

/** The store in S3: every right that runs need there. */
record StoreCheck(Map<String, String> environment) {
    private static final String NAME = "store";

    List<Finding> findings() throws InterruptedException {
        try {
            Optional<StoreSettings> settings = StoreSettings.of(environment);
            return settings.isEmpty() ? List.of() : findings(settings.get());
        } catch (BadInputException | IOException e) {
            return List.of(Finding.bad(
                    NAME,
                    e.getMessage(),
                    "look at PACER_STORE, AWS_ENDPOINT_URL_S3, AWS_REGION, the credentials and the bucket's rights"));
        }
    }

    private static List<Finding> findings(StoreSettings settings) throws IOException, InterruptedException {
        StoreProbe.Result result = new StoreProbe(settings).run();
        List<Finding> findings = new ArrayList<>();
        if (result.faults().isEmpty()) {
            findings.add(Finding.good(
                    NAME,
                    settings.place() + ", can be written on a condition, read, listed and deleted, also in parts"));
        }
        result.faults().forEach(fault -> findings.add(Finding.bad(NAME, fault.what(), fault.remedy())));
        result.advice().forEach(fault -> findings.add(Finding.poor(NAME, fault.what(), fault.remedy())));
        return findings;
    }
}
