package pacer.activities.host;

import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An error of a GPU as NVIDIA's driver writes it into the kernel's log: {@code NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.}
 *
 * <p>Which of them a host must be drained for follows NVIDIA's catalogue of Xids ("Analyzing Xid Errors with the Xid Catalog", docs.nvidia.com/deploy/xid-errors)
 * and its reading by NVIDIA's own monitor NVSentinel (xiderrorsmapping.csv): those that want a GPU reset, a restart of the machine, or somebody
 * who looks at the hardware. What wants the application restarted, or is information, drains nothing: a new attempt is what pacer does anyway.
 *
 * @param device where the GPU is, {@code PCI:0000:3b:00}
 * @param code the Xid's number
 * @param text what the driver says after it, perhaps nothing
 */
public record Xid(String device, int code, String text) {
    private static final Pattern LINE = Pattern.compile("NVRM: Xid \\(([^)]{1,64})\\): (\\d{1,4})\\b(?:, (.*))?");

    /** The driver itself says what is to be done: {@code GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)}. */
    private static final int RECOVERY_ACTION = 154;

    private static final Pattern NOTHING_TO_RECOVER = Pattern.compile("to 0x0\\b");

    /** Of NVLink 5, by the part of it that fails; the line says which of them are fatal. */
    private static final int FIRST_NVLINK5 = 144;

    private static final int LAST_NVLINK5 = 150;
    private static final Pattern FATAL = Pattern.compile("\\bFatal\\b");

    private static final SortedMap<Integer, String> DRAINING = new TreeMap<>(Map.ofEntries(
            Map.entry(46, "the GPU stopped processing"),
            Map.entry(48, "an error of its memory that could not be corrected"),
            Map.entry(54, "its power connector is not connected"),
            Map.entry(62, "its power management unit halted"),
            Map.entry(64, "a bad row of its memory could not be remapped"),
            Map.entry(74, "an error of NVLink"),
            Map.entry(79, "the GPU has fallen off the bus"),
            Map.entry(95, "an error of its memory that reached other work"),
            Map.entry(109, "a context could not be switched in time"),
            Map.entry(110, "a security fault"),
            Map.entry(119, "its system processor did not answer in time"),
            Map.entry(120, "an error of its system processor"),
            Map.entry(136, "a link could not be trained"),
            Map.entry(140, "an error of its memory that could not be recovered from"),
            Map.entry(143, "the GPU could not be initialized"),
            Map.entry(151, "its keys could not be rotated"),
            Map.entry(155, "an error of NVLink that software found"),
            Map.entry(156, "a part of it was retired"),
            Map.entry(158, "a fatal timeout"),
            Map.entry(160, "a channel of its memory was retired")));

    /** What a line of the kernel's log tells of; empty where that is no Xid. */
    static Optional<Xid> in(String line) {
        Matcher found = LINE.matcher(line);
        return found.find()
                ? Optional.of(new Xid(
                        found.group(1),
                        Integer.parseInt(found.group(2)),
                        found.group(3) == null ? "" : found.group(3).strip()))
                : Optional.empty();
    }

    /** Codes that drain a host whatever the line says, in order, each with what it means. */
    static SortedMap<Integer, String> draining() {
        return DRAINING;
    }

    /** Why the host of this GPU must not train any more, in words; empty where it may. */
    Optional<String> why() {
        if (code == RECOVERY_ACTION) {
            return NOTHING_TO_RECOVER.matcher(text).find() ? Optional.empty() : Optional.of(text);
        }
        if (code >= FIRST_NVLINK5 && code <= LAST_NVLINK5) {
            return FATAL.matcher(text).find() ? Optional.of("a fatal error of NVLink") : Optional.empty();
        }
        return Optional.ofNullable(DRAINING.get(code));
    }
}
