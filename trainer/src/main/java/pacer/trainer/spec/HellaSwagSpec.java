package pacer.trainer.spec;

import java.util.Locale;

/** When and how HellaSwag is measured: whether a model finds the right one of four endings; Zellers et al. 2019. */
public record HellaSwagSpec(
        @Doc(
                value = "how many of the file's examples are measured, the first ones; 0 measures none, all are 10042",
                min = 0,
                max = 1e6,
                standard = "0",
                later = true)
        int examples,

        @Doc(
                value = "steps between measurements during training; 0 measures only at the end",
                min = 0,
                max = 1e9,
                standard = "0",
                later = true)
        int everySteps,

        @Doc(value = "the file: https://HOST/PATH or file:PATH", standard = HellaSwagSpec.HOME, later = true)
        String from,

        @Doc(
                value = "expected SHA-256 of the file; required for https, empty for a file that may change",
                standard = HellaSwagSpec.SHA256,
                later = true)
        String sha256) {

    /** Its authors' own. */
    static final String HOME = "https://raw.githubusercontent.com/rowanz/hellaswag/master/data/hellaswag_val.jsonl";

    static final String SHA256 = "0aa3b88843990f3f10a97b9575c94d7b71fb2205240ba04ae4884d9e9c992588";

    public HellaSwagSpec {
        sha256 = sha256.toLowerCase(Locale.ROOT);
    }

    /** Whether it is measured at all. */
    public boolean given() {
        return examples > 0;
    }

    /** Whether it is due after {@code step} of {@code last} steps; at the last one it is the evaluation's. */
    public boolean isDueAfter(int step, int last) {
        return given() && everySteps > 0 && step % everySteps == 0 && step < last;
    }

    /** This one in another place. */
    public HellaSwagSpec withFrom(String other) {
        return new HellaSwagSpec(examples, everySteps, other, sha256);
    }
}
