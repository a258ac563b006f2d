package pacer.trainer.spec;

import java.util.List;

/** A YAML value with the place where it was written. */
sealed interface YamlNode {

    Place place();

    /** {@code plain}: written without quotes, so that its text alone says what it is. */
    record Scalar(String text, boolean plain, Place place) implements YamlNode {}

    /** Keys are unique. */
    record Mapping(List<Entry> entries, Place place) implements YamlNode {}

    record Sequence(List<YamlNode> items, Place place) implements YamlNode {}

    /** A value that was faulted while reading and says nothing more. */
    record Refused(Place place) implements YamlNode {}

    record Entry(String key, Place place, YamlNode value) {}
}
