package pacer.trainer.spec;

import java.util.Locale;

/** Weights that training begins with, instead of drawn ones. */
public record WeightsSpec(
        @Doc(
                value =
                        "a GPT-2 in Hugging Face's files whose weights are the first: gpt2, gpt2-medium, gpt2-large, gpt2-xl, file:FOLDER,"
                                + " hf://ORGANISATION/NAME@REVISION or https://HOST/FOLDER/; empty draws them as model.initial says",
                standard = "''",
                later = true)
        String from,

        @Doc(
                value =
                        "expected SHA-256 of them, as `sha256sum config.json model*.safetensors \\| sha256sum` prints it; required for https",
                standard = "''",
                later = true)
        String sha256) {
    /** None: they are drawn. */
    public static final WeightsSpec NONE = new WeightsSpec("", "");

    public WeightsSpec {
        sha256 = sha256.toLowerCase(Locale.ROOT);
    }

    /** Whether there are any. */
    public boolean given() {
        return !from.isEmpty();
    }

    /** These from another place. */
    public WeightsSpec withFrom(String other) {
        return new WeightsSpec(other, sha256);
    }
}
