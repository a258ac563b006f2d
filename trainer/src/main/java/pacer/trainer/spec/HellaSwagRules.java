package pacer.trainer.spec;

import java.util.Optional;
import pacer.trainer.spec.DatasetSpec.Tokenizer;

/** What settings of HellaSwag must fulfil, together with the tokens that its texts become. */
record HellaSwagRules(RunSpec spec, ModelRules.Require require) {

    void check() {
        HellaSwagSpec asked = spec.hellaSwag();
        require.that(
                asked.sha256().isEmpty() || asked.sha256().matches("[0-9a-f]{64}"),
                "must be 64 hex digits, has %d characters"
                        .formatted(asked.sha256().length()),
                "copy what sha256sum prints",
                "hellaSwag.sha256");
        fault(asked).ifPresent(fault -> {
            String[] parts = fault.split("; ", 2);
            require.that(false, parts[0], parts[1], "hellaSwag.from", "hellaSwag.sha256");
        });
        require.that(
                asked.given() || asked.everySteps() == 0,
                "measures nothing, as hellaSwag.examples is 0",
                "give hellaSwag.examples 10042, or delete it",
                "hellaSwag.everySteps",
                "hellaSwag.examples");
        require.that(
                !asked.given() || spec.dataset().tokenizer() == Tokenizer.GPT2,
                "asks in any characters, and dataset.tokenizer knows those of its text alone",
                "give dataset.tokenizer gpt2, or hellaSwag.examples 0",
                "hellaSwag.examples",
                "dataset.tokenizer");
    }

    private static Optional<String> fault(HellaSwagSpec asked) {
        boolean https = asked.from().startsWith("https:");
        if (!https && !asked.from().startsWith("file:")) {
            return Optional.of("must be https://HOST/PATH or file:PATH; delete it for the file of HellaSwag's authors");
        }
        return https && asked.sha256().isEmpty()
                ? Optional.of(
                        "hellaSwag.sha256 must be given for https, so that every run is asked the same; give what sha256sum prints")
                : DatasetUrl.fault(asked.from());
    }
}
