package pacer.trainer.spec;

import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** Specifications with arbitrary values, for properties that hold of all; they need not make sense together. */
final class RandomSpecs {

    /** Characters that quoting could get wrong. */
    private static final String[] TEXTS = {
        "",
        " ",
        "a",
        "\"",
        "\\",
        "\n",
        "\r\n",
        "\t",
        "#",
        ": ",
        "- ",
        "'",
        "ß",
        "€",
        "😀",
        "\u2028",
        "\uFEFF",
        "\uDB40\uDC67",
        "\u00A0",
        "{",
        "}",
        "[",
        "%",
        "&a",
        "*a",
        "!!int",
        "null",
        "no",
        "1e-3",
        "\\n",
        "\u200B",
        "\uFFFD",
        "\uFFFE"
    };

    private final SplittableRandom random;

    RandomSpecs(long seed) {
        random = new SplittableRandom(seed);
    }

    RunSpec next() {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Setting setting : Schema.RUN.settings()) {
            values.put(setting.path(), value(setting));
        }
        return (RunSpec) Schema.RUN.build(values);
    }

    private Object value(Setting setting) {
        RecordComponent component = setting.way().getLast();
        Class<?> type = component.getType();
        if (type == int.class) {
            return (int) whole(setting.doc());
        } else if (type == long.class) {
            return whole(setting.doc());
        } else if (type == boolean.class) {
            return random.nextBoolean();
        } else if (type == double.class) {
            return number(setting.doc());
        } else if (type == String.class) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(4); i > 0; i--) {
                text.append(TEXTS[random.nextInt(TEXTS.length)]);
            }
            return text.toString();
        }
        Object[] choices = type.getEnumConstants();
        return choices[random.nextInt(choices.length)];
    }

    private long whole(Doc doc) {
        long min = doc.min() == Double.NEGATIVE_INFINITY ? Long.MIN_VALUE : (long) doc.min();
        long max = doc.max() == Double.POSITIVE_INFINITY ? Long.MAX_VALUE : (long) doc.max();
        return switch (random.nextInt(4)) {
            case 0 -> min;
            case 1 -> max;
            default -> random.nextLong(min, max);
        };
    }

    /** Doubles of any magnitude within the bounds, most of them with all 53 bits in use. */
    private double number(Doc doc) {
        if (random.nextInt(4) == 0) {
            return random.nextBoolean() ? doc.min() : doc.max();
        }
        double scaled = Math.scalb(random.nextDouble(), -random.nextInt(60));
        return Math.max(doc.min(), Math.min(doc.max(), random.nextBoolean() ? scaled : doc.max() * scaled));
    }
}
