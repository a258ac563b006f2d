package pacer.trainer.spec;

/** When checkpoints are written and which are kept. */
public record CheckpointSpec(
        @Doc(value = "steps between checkpoints; 0 writes only the last", min = 0, max = 1e9, standard = "250")
        int everySteps,

        @Doc(value = "newest checkpoints kept", min = 1, max = 100000, standard = "2")
        int keepLast,

        @Doc(value = "also keep the one with the best validation loss", standard = "true")
        boolean keepBest) {}
