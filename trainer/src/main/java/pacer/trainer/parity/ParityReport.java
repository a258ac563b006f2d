package pacer.trainer.parity;

import java.util.List;
import java.util.Locale;

/**
 * A trace replayed.
 *
 * @param trace what was replayed
 * @param device on what
 */
public record ParityReport(String trace, String device, List<Quantity> quantities) {

    /** Whether every quantity is within its tolerance. */
    public boolean passed() {
        return quantities.stream().allMatch(Quantity::passed);
    }

    /** A table for people, 80 columns where names allow. */
    public String table() {
        StringBuilder out = new StringBuilder();
        out.append(trace).append(" on ").append(device).append('\n');
        out.append(String.format(Locale.ROOT, "  %-22s %12s %12s%n", "quantity", "difference", "tolerance"));
        for (Quantity q : quantities) {
            String detail = q.detail().isEmpty() ? "" : "  " + q.detail();
            out.append(String.format(
                    Locale.ROOT,
                    "%s %-22s %12.2e %12.0e%s%n",
                    q.passed() ? "✓" : "✗",
                    q.name(),
                    q.difference(),
                    q.tolerance(),
                    detail));
        }
        long over = quantities.stream().filter(q -> !q.passed()).count();
        out.append(over == 0 ? "within tolerance" : over + " of " + quantities.size() + " over tolerance")
                .append('\n');
        return out.toString();
    }
}
