package pacer.trainer.spec;

/**
 * Everything that determines a run: one YAML file, layered (preset, then {@code --config}, then {@code --set}), strictly
 * checked, hashed, and written into the run's folder.
 */
public record RunSpec(
        @Doc("name of the preset; up to 63 letters, digits and dashes")
        String name,

        @Doc(value = "one line for people", standard = "''") String description,

        @Doc(value = "seeds initialisation, data order, dropout and sampling", standard = "1337")
        long seed,

        @Doc(value = "where training runs", standard = "cpu")
        Device device,

        @Doc("the text and how it becomes tokens") DatasetSpec dataset,
        @Doc("the network") ModelSpec model,

        @Doc(value = "weights that training begins with, instead of drawn ones", standard = "{}")
        WeightsSpec weights,

        @Doc("batches, steps, precision, ranks") TrainSpec train,
        @Doc("the update rule") OptimizerSpec optimizer,

        @Doc(value = "the learning rate over time", standard = "{}")
        ScheduleSpec schedule,

        @Doc(value = "when and how validation loss is measured", standard = "{}")
        EvaluationSpec evaluation,

        @Doc(value = "whether the model finds the right one of four endings", standard = "{}")
        HellaSwagSpec hellaSwag,

        @Doc(value = "text written by the model during and after training", standard = "{}")
        SampleSpec sample,

        @Doc(value = "when checkpoints are written and which are kept", standard = "{}")
        CheckpointSpec checkpoint,

        @Doc(
                value =
                        "what the run is expected to reach; a preset's lapses where a setting over it changes what determines the loss",
                standard = "{}")
        ExpectationSpec expectation,

        @Doc(value = "what the machine costs", standard = "{}")
        CostSpec cost) {

    /** Sequences of a step that a rank takes. */
    public int sequencesARank() {
        return train.batchTokens() / model.sequenceLength() / train.ranks();
    }

    /** Sequences that a rank takes through the model at once: train.microBatch, or fewer where its share of a step is smaller. */
    public int sequencesAtOnce() {
        return Math.min(train.microBatch(), sequencesARank());
    }

    /** This one described otherwise. */
    RunSpec withDescription(String other) {
        return new RunSpec(
                name,
                other,
                seed,
                device,
                dataset,
                model,
                weights,
                train,
                optimizer,
                schedule,
                evaluation,
                hellaSwag,
                sample,
                checkpoint,
                expectation,
                cost);
    }

    /** This one on another text. */
    public RunSpec withDataset(DatasetSpec other) {
        return with(other, model, weights, train, schedule, hellaSwag, expectation);
    }

    /** This one with other weights to begin with. */
    public RunSpec withWeights(WeightsSpec other) {
        return with(dataset, model, other, train, schedule, hellaSwag, expectation);
    }

    /** This one with HellaSwag from another place. */
    public RunSpec withHellaSwag(HellaSwagSpec other) {
        return with(dataset, model, weights, train, schedule, other, expectation);
    }

    /** This one with something else to be expected of it. */
    RunSpec withExpectation(ExpectationSpec other) {
        return with(dataset, model, weights, train, schedule, hellaSwag, other);
    }

    /** This one with what a vocabulary and a machine settle. */
    RunSpec with(ModelSpec model, TrainSpec train, ScheduleSpec schedule) {
        return with(dataset, model, weights, train, schedule, hellaSwag, expectation);
    }

    private RunSpec with(
            DatasetSpec dataset,
            ModelSpec model,
            WeightsSpec weights,
            TrainSpec train,
            ScheduleSpec schedule,
            HellaSwagSpec hellaSwag,
            ExpectationSpec expectation) {
        return new RunSpec(
                name,
                description,
                seed,
                device,
                dataset,
                model,
                weights,
                train,
                optimizer,
                schedule,
                evaluation,
                hellaSwag,
                sample,
                checkpoint,
                expectation,
                cost);
    }

    /** Kinds of training device. */
    public enum Device {
        CPU
    }
}
