package pacer.activities.publishing.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Quantities as people read them; the same words in report and terminal, whatever the machine's locale. */
public final class Quantities {
    private Quantities() {}

    /** {@code 0.4 s}, {@code 24.1 s}, {@code 3 min 05 s}, {@code 2 h 10 min}, {@code 3 d 4 h}. */
    public static String duration(double seconds) {
        if (!Double.isFinite(seconds) || seconds < 0) {
            return "?";
        }
        if (seconds < 59.95) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        long whole = Math.round(seconds);
        if (whole < 3600) {
            return String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
        }
        if (whole < 86_400) {
            return String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole % 3600 / 60);
        }
        return String.format(Locale.ROOT, "%d d %d h", whole / 86_400, whole % 86_400 / 3600);
    }

    /** As {@link #duration}, but what is short in milliseconds: {@code 12.3 ms}. */
    public static String brief(double seconds) {
        return seconds >= 0 && seconds < 0.9995
                ? String.format(
                        Locale.ROOT,
                        seconds < 0.00995 ? "%.2f ms" : seconds < 0.0995 ? "%.1f ms" : "%.0f ms",
                        1000 * seconds)
                : duration(seconds);
    }

    /** Three significant digits with a unit of thousand: {@code 812}, {@code 62.3k}, {@code 1.20M}, {@code 10.5B}. */
    public static String count(double number) {
        if (!Double.isFinite(number)) {
            return "?";
        }
        double size = Math.abs(number);
        if (size < 999.5) {
            return size == Math.rint(size) ? grouped((long) number) : String.format(Locale.ROOT, "%.3g", number);
        }
        String[] units = {"k", "M", "B", "T"};
        double scaled = number / 1000;
        int unit = 0;
        while (Math.abs(scaled) >= 999.5 && unit < units.length - 1) {
            scaled /= 1000;
            unit++;
        }
        double magnitude = Math.abs(scaled);
        return String.format(Locale.ROOT, magnitude < 9.995 ? "%.2f" : magnitude < 99.95 ? "%.1f" : "%.0f", scaled)
                + units[unit];
    }

    /** As {@link #count(double)}. */
    public static String count(long number) {
        return count((double) number);
    }

    /** {@code 1,214,979}. */
    public static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** {@code 512 B}, {@code 1.21 MB}; units of thousand. */
    public static String bytes(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        String number = count(bytes);
        String unit = number.substring(number.length() - 1);
        return number.substring(0, number.length() - 1) + " " + (unit.equals("B") ? "G" : unit) + "B";
    }

    /** Four decimals, as losses are compared: {@code 1.6790}; what went astray short: {@code 3.1250e+30}. */
    public static String loss(double nats) {
        return Double.isFinite(nats)
                ? String.format(Locale.ROOT, Math.abs(nats) < 1e6 ? "%.4f" : "%.4e", nats)
                : Double.toString(nats);
    }

    /** A learning rate: {@code 1e-3}, {@code 6.25e-4}; from 1 on as any number: {@code 3.47}. */
    public static String rate(double rate) {
        if (!Double.isFinite(rate)) {
            return Double.toString(rate);
        }
        BigDecimal rounded = BigDecimal.valueOf(rate).round(new MathContext(3));
        if (rounded.signum() == 0 || rounded.abs().compareTo(BigDecimal.ONE) >= 0) {
            return plain(rate, 3);
        }
        int exponent = rounded.precision() - rounded.scale() - 1;
        return rounded.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
    }

    /** Up to {@code digits} significant digits, no trailing zeros: an axis label. */
    static String plain(double number, int digits) {
        BigDecimal rounded = BigDecimal.valueOf(number).round(new MathContext(digits));
        return rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
    }

    /** Money: {@code $0.0012}, {@code $3.28}, {@code $1,210}. */
    public static String dollars(double amount) {
        return amount >= 1000
                ? String.format(Locale.ROOT, "$%,.0f", amount)
                : amount >= 0.1
                        ? String.format(Locale.ROOT, "$%.2f", amount)
                        : String.format(Locale.ROOT, "$%.4f", amount);
    }
}
