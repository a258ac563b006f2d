package pacer.trainer.spec;

import java.util.List;
import java.util.stream.Collectors;

/** A specification that cannot be run; carries every fault of every layer. Its message is meant for people, a line a fault. */
public final class SpecException extends RuntimeException {

    private final transient List<Fault> faults;

    SpecException(List<Fault> faults) {
        super(message(faults));
        this.faults = List.copyOf(faults);
    }

    /** In the order of the layers and of each file's lines; what several settings break together comes last. */
    public List<Fault> faults() {
        return faults;
    }

    private static String message(List<Fault> faults) {
        if (faults.size() == 1) {
            return faults.getFirst().toString();
        }
        return faults.stream()
                .map(fault -> "\n  " + fault)
                .collect(Collectors.joining("", faults.size() + " faults in the settings:", ""));
    }
}
