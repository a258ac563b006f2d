package pacer.trainer.spec;

/** What the machine costs. */
public record CostSpec(
        @Doc(value = "price of the machine an hour, for the report; 0: unknown", min = 0, max = 1e6, standard = "0")
        double dollarsPerHour) {}
