package pacer.trainer.spec;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Turns a scalar into a setting's type. The setting says which type is wanted, so nothing is guessed from the text, and what
 * YAML readers disagree about ({@code no}, {@code 010}, {@code 1e3} for a count, a number in quotes) is refused with what to
 * write instead.
 */
final class ScalarValue {

    private static final Pattern WHOLE = Pattern.compile("[-+]?(0|[1-9][0-9]*)");
    private static final Pattern NUMBER =
            Pattern.compile("[-+]?(\\.[0-9]+|(0|[1-9][0-9]*)(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
    private static final Pattern LEADING_ZERO = Pattern.compile("[-+]?0[0-9]+");
    private static final Pattern OTHER_BASE = Pattern.compile("0(x[0-9a-fA-F]{1,15}|o[0-7]{1,20})");
    private static final Pattern GROUPED = Pattern.compile("[-+]?[0-9]{1,3}([_,'][0-9]{3})+");
    private static final Pattern NOT_FINITE = Pattern.compile("(?i)[-+]?\\.?(nan|inf|infinity)");
    /** What YAML 1.2 or 1.1 takes for something else than text. */
    private static final Pattern NOT_TEXT =
            Pattern.compile("(?i)~|null|true|false|yes|no|on|off|[-+]?[0-9][0-9_]*|0[xo][0-9a-f]+|[-+]?\\.(nan|inf)");

    private static final Map<String, String> BOOLEANS = Map.of(
            "true", "true", "yes", "true", "on", "true", "y", "true", "1", "true", "false", "false", "no", "false",
            "off", "false", "n", "false", "0", "false");

    private ScalarValue() {}

    /** The scalar does not fit; the message is {@code value, rule; what to do}. */
    static final class Unfit extends Exception {
        Unfit(String value, String rule, String remedy) {
            super("%s, %s; %s".formatted(Fault.shown(value), rule, remedy));
        }
    }

    static Object of(Setting setting, YamlNode.Scalar scalar) throws Unfit {
        Class<?> type = setting.type();
        String text = scalar.text();
        if (scalar.plain() && (text.isEmpty() || text.equals("~") || text.equals("null"))) {
            throw new Unfit(
                    text.isEmpty() ? "nothing" : text,
                    "must be " + setting.kind(),
                    type == String.class ? "write '' for no text" : "give a value or delete the line");
        }
        if (type == String.class) {
            return text(scalar);
        }
        if (type.isEnum()) {
            return choice(setting, text);
        }
        if (!scalar.plain()) {
            throw new Unfit(
                    '"' + text + '"', "must be " + setting.kind() + ", not text in quotes", "remove the quotes");
        }
        if (type == boolean.class) {
            return bool(text);
        }
        if (type == double.class) {
            return number(setting, text);
        }
        long whole = whole(setting, text);
        if (type == int.class) {
            return Math.toIntExact(whole);
        }
        if (type == long.class) {
            return whole;
        }
        throw new IllegalStateException(setting.path() + " is of type " + type + ", which cannot be read");
    }

    private static String text(YamlNode.Scalar scalar) throws Unfit {
        String text = scalar.text();
        if (scalar.plain()
                && (NOT_TEXT.matcher(text).matches() || NUMBER.matcher(text).matches())) {
            throw new Unfit(text, "must be text, which YAML reads as something else", "put it in quotes");
        }
        return wellFormed(text);
    }

    private static String wellFormed(String text) throws Unfit {
        Optional<Integer> bad = text.codePoints()
                .filter(c -> c != '\n' && c != '\t' && c != '\r')
                .filter(c -> Character.isISOControl(c) || (c >= 0xD800 && c <= 0xDFFF))
                .boxed()
                .findFirst();
        if (bad.isPresent()) {
            throw new Unfit(text, "holds U+%04X, which no text may".formatted(bad.get()), "delete it");
        }
        return text;
    }

    private static Object choice(Setting setting, String text) throws Unfit {
        for (Object choice : setting.type().getEnumConstants()) {
            if (Setting.text(choice).equals(text)) {
                return choice;
            }
        }
        String near =
                Nearest.among(text, setting.choices()).map(Nearest::question).orElse("choose one of them");
        throw new Unfit(text, "must be " + setting.kind(), near);
    }

    private static boolean bool(String text) throws Unfit {
        if (text.equals("true") || text.equals("false")) {
            return text.equals("true");
        }
        String meant = BOOLEANS.get(text.toLowerCase(Locale.ROOT));
        throw new Unfit(text, "must be true or false", meant == null ? "write one of them" : "write " + meant);
    }

    private static long whole(Setting setting, String text) throws Unfit {
        if (!WHOLE.matcher(text).matches()) {
            throw new Unfit(text, "must be a whole number in plain digits", asDigits(setting, text));
        }
        try {
            long value = Long.parseLong(text);
            inRange(setting, text, (double) value);
            return value;
        } catch (NumberFormatException _) {
            throw new Unfit(text, "must be " + range(setting), "give a number in that range");
        }
    }

    private static double number(Setting setting, String text) throws Unfit {
        if (NOT_FINITE.matcher(text).matches()) {
            throw new Unfit(text, "must be a finite number", "give " + range(setting));
        }
        if (!NUMBER.matcher(text).matches()) {
            throw new Unfit(text, "must be a plain decimal number", asDigits(setting, text));
        }
        double value = Double.parseDouble(text);
        boolean zero = text.chars().takeWhile(c -> c != 'e' && c != 'E').noneMatch(c -> c >= '1' && c <= '9');
        if (Double.isInfinite(value) || (value == 0 && !zero)) {
            throw new Unfit(text, "is beyond what a double holds", "give " + range(setting));
        }
        inRange(setting, text, value);
        return value + 0.0; // -0 becomes 0
    }

    private static void inRange(Setting setting, String text, double value) throws Unfit {
        Doc doc = setting.doc();
        if (value < doc.min()) {
            throw new Unfit(text, "must be " + range(setting), "give " + CanonicalYaml.plain(doc.min()) + " or more");
        }
        if (value > doc.max()) {
            throw new Unfit(text, "must be " + range(setting), "give " + CanonicalYaml.plain(doc.max()) + " or less");
        }
    }

    /** "1 to 1000", "at least 0", "any number". */
    static String range(Setting setting) {
        Doc doc = setting.doc();
        boolean low = doc.min() > Double.NEGATIVE_INFINITY;
        boolean high = doc.max() < Double.POSITIVE_INFINITY;
        if (low && high) {
            return CanonicalYaml.plain(doc.min()) + " to " + CanonicalYaml.plain(doc.max());
        } else if (low) {
            return "at least " + CanonicalYaml.plain(doc.min());
        } else if (high) {
            return "at most " + CanonicalYaml.plain(doc.max());
        }
        return setting.type() == long.class ? "a number of 64 bits" : "a finite number";
    }

    private static String asDigits(Setting setting, String text) {
        if (LEADING_ZERO.matcher(text).matches()) {
            return "write it without leading zeros, which some read as octal";
        } else if (OTHER_BASE.matcher(text).matches()) {
            int base = text.charAt(1) == 'x' ? 16 : 8;
            return "write " + Long.parseUnsignedLong(text.substring(2), base);
        } else if (GROUPED.matcher(text).matches()) {
            return "write " + text.replaceAll("[_,']", "");
        } else if (NUMBER.matcher(text).matches() && text.length() <= 20) {
            BigDecimal value = new BigDecimal(text);
            boolean whole = Math.abs((long) value.scale()) <= 18
                    && value.stripTrailingZeros().scale() <= 0;
            return whole ? "write " + value.toBigInteger() : "round it";
        }
        return "write digits alone, for example " + (setting.type() == double.class ? "0.1 or 1e-3" : "12");
    }
}
