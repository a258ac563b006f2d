package pacer.trainer.spec;

/** Ways past the blocks. */
public record StreamSpec(
        @Doc(
                value = "each block begins with a learned mix of the residual stream and the embedding",
                standard = "false",
                later = true)
        boolean embedding,

        @Doc(
                value =
                        "to a layer of the second half the output of its mirror in the first is added, by a learned weight",
                standard = "false",
                later = true)
        boolean skips) {

    /** None. */
    static final StreamSpec GPT2 = new StreamSpec(false, false);
}
