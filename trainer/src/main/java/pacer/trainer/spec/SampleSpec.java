package pacer.trainer.spec;

/** Text written by the model. */
public record SampleSpec(
        @Doc(
                value = "steps between samples during training; 0 samples only at the end",
                min = 0,
                max = 1e9,
                standard = "0")
        int everySteps,

        @Doc(value = "samples at the end", min = 0, max = 1000, standard = "2")
        int count,

        @Doc(value = "new tokens a sample", min = 1, max = 1000000, standard = "300")
        int tokens,

        @Doc(value = "text to continue, at least one character", standard = "\"\\n\"")
        String prompt,

        @Doc(value = "logits are divided by this; 0 takes the likeliest token", min = 0, max = 100, standard = "0.8")
        double temperature,

        @Doc(
                value = "only the k likeliest tokens are drawn from; 0 takes all",
                min = 0,
                max = 1000000,
                standard = "200")
        int topK) {}
