package pacer.activities.store;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;

/**
 * A place in S3: {@code s3://bucket/key}.
 *
 * @param key may be empty: the whole bucket
 */
public record S3Address(String bucket, String key) {
    private static final Pattern FORM = Pattern.compile("s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?");

    /**
     * Takes {@code text} apart; slashes around the key do not count.
     *
     * @param setting where it was given
     * @throws BadInputException when it is not of the form
     */
    public static S3Address parse(String setting, String text) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches()) {
            throw new BadInputException(
                    setting + ": '" + text
                            + "' is no address in S3; write s3://BUCKET/KEY, the bucket in 3 to 63 small letters, digits, dots, dashes");
        }
        String key = parts.group(2) == null ? "" : parts.group(2).replaceAll("^/+|/+$", "");
        if (key.contains("//") || (key + "/").contains("../") || (key + "/").contains("./")) {
            // some servers take such names for others
            throw new BadInputException(
                    setting + ": '" + text + "' has an empty name, '.' or '..' in its path; write it without");
        }
        return new S3Address(parts.group(1), key);
    }

    /** What lies under this place by the name of {@code name}. */
    S3Address resolve(String name) {
        return new S3Address(bucket, key.isEmpty() ? name : key + "/" + name);
    }

    @Override
    public String toString() {
        return "s3://" + bucket + "/" + key;
    }
}
