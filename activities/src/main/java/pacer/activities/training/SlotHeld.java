package pacer.activities.training;

/** The slot for training of {@code host} is held for a {@code gathering} from now on, until its activity is cancelled. */
public record SlotHeld(String gathering, String host) {}
