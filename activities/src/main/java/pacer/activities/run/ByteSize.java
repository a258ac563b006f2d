package pacer.activities.run;

import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 200GB}, {@code 500 MB}, {@code 2t}; thousands, and 1,024s where an i says so, {@code 200GiB}. */
public final class ByteSize {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,12})\\s*([KMGT]?)(i?)B?", Pattern.CASE_INSENSITIVE);

    private ByteSize() {}

    /** Bytes; empty when {@code text} is no size. */
    public static OptionalLong of(String text) {
        Matcher size = SIZE.matcher(text.strip());
        if (!size.matches()) {
            return OptionalLong.empty();
        }
        int thousands = size.group(2).isEmpty()
                ? 0
                : "KMGT".indexOf(Character.toUpperCase(size.group(2).charAt(0))) + 1;
        return OptionalLong.of(
                Long.parseLong(size.group(1)) * (long) Math.pow(size.group(3).isEmpty() ? 1000 : 1024, thousands));
    }
}
