package pacer.activities.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * After how much a run is stopped, with a checkpoint. Counted is the time that its stages take, over all attempts.
 *
 * @param hours null for no limit
 * @param dollars at the spec's price of the machine; null for no limit
 */
public record Budget(Double hours, Double dollars) {
    private static final Pattern WRITTEN =
            Pattern.compile("([0-9]*\\.?[0-9]+) ?(min|h|d|usd|\\$)", Pattern.CASE_INSENSITIVE);

    /**
     * Reads {@code 90min}, {@code 2h}, {@code 1.5d} or {@code 12.50usd}; several with commas between them.
     *
     * @throws BadInputException naming the value and the rule
     */
    public static Budget parse(String text) {
        Budget budget = new Budget(null, null);
        for (String part : text.split(",", -1)) {
            Matcher parts = WRITTEN.matcher(part.strip());
            if (!parts.matches() || Double.parseDouble(parts.group(1)) <= 0) {
                throw new BadInputException("budget '" + part.strip()
                        + "': must be a time or an amount of money, such as 90min, 2h, 1.5d or 12.50usd");
            }
            double value = Double.parseDouble(parts.group(1));
            budget = switch (parts.group(2).toLowerCase(Locale.ROOT)) {
                case "min" -> new Budget(value / 60, budget.dollars);
                case "h" -> new Budget(value, budget.dollars);
                case "d" -> new Budget(24 * value, budget.dollars);
                default -> new Budget(budget.hours, value);
            };
        }
        return budget;
    }

    /**
     * Refuses one that cannot be kept, at a machine's price.
     *
     * @throws BadInputException with every reason
     */
    public void require(double dollarsPerHour) {
        List<String> faults = new ArrayList<>();
        if (hours != null && !(hours > 0)) {
            faults.add("budget.hours: " + hours + ", must be above 0");
        }
        if (dollars != null && !(dollars > 0)) {
            faults.add("budget.dollars: " + dollars + ", must be above 0");
        }
        if (dollars != null && dollarsPerHour == 0) {
            faults.add("budget.dollars: the machine's price is not known; set cost.dollarsPerHour");
        }
        if (!faults.isEmpty()) {
            throw new BadInputException(String.join("\n", faults));
        }
    }

    /** Seconds that are left after {@code spent}, perhaps less than none; empty where nothing is limited. */
    public OptionalDouble secondsLeft(double spent, double dollarsPerHour) {
        double byTime = hours == null ? Double.POSITIVE_INFINITY : 3600 * hours;
        double byMoney =
                dollars == null || dollarsPerHour == 0 ? Double.POSITIVE_INFINITY : 3600 * dollars / dollarsPerHour;
        double most = Math.min(byTime, byMoney);
        return Double.isFinite(most) ? OptionalDouble.of(most - spent) : OptionalDouble.empty();
    }

    /** What {@code spent} seconds leave of it to each of {@code shares}; perhaps less than nothing. */
    public Budget left(double spent, double dollarsPerHour, int shares) {
        double gone = spent / 3600;
        return new Budget(
                hours == null ? null : (hours - gone) / shares,
                dollars == null ? null : (dollars - gone * dollarsPerHour) / shares);
    }

    /** Whether nothing is left. */
    public boolean usedUp() {
        return (hours != null && hours <= 0) || (dollars != null && dollars <= 0);
    }

    /** For people. */
    public String inWords() {
        List<String> parts = new ArrayList<>();
        if (hours != null) {
            parts.add(hours < 1 ? plain(60 * hours) + " min" : plain(hours) + " h");
        }
        if (dollars != null) {
            parts.add("%s USD".formatted(plain(dollars)));
        }
        return String.join(" and ", parts);
    }

    private static String plain(double value) {
        return String.format(Locale.ROOT, "%.3f", value).replaceAll("\\.?0+$", "");
    }
}
