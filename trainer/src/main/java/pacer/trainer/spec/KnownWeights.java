package pacer.trainer.spec;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Published weights that {@code weights.from} knows by name: {@code resources/weights/*.yaml}.
 *
 * @param known SHA-256 of their files by name, as far as they are known
 */
public record KnownWeights(Facts facts, Map<String, String> known) {
    /** Names, from the smallest. */
    public static final List<String> NAMES = List.of("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl");

    public KnownWeights {
        known = Map.copyOf(known);
    }

    /** What the YAML says. */
    public record Facts(
            @Doc("what weights.from calls them") String name,

            @Doc("one line for people") String description,

            @Doc("folders that have their files, by spaces; tried in order")
            String homes,

            @Doc("what they may be used for") String license,

            @Doc(value = "which of these facts nobody has looked after", standard = "''")
            String unverified,

            @Doc(value = "transformer blocks", min = 1) int layers,
            @Doc(value = "attention heads", min = 1) int heads,

            @Doc(value = "width of the residual stream", min = 1)
            int width) {}

    /** Those of that name; empty when there are none. */
    public static Optional<KnownWeights> find(String name) {
        return NAMES.contains(name) ? Optional.of(read(name)) : Optional.empty();
    }

    /** Folders that have the files, each ending in a slash. */
    public List<String> homes() {
        return Catalogue.split(facts.homes());
    }

    private static KnownWeights read(String name) {
        String source = "weights/" + name + ".yaml";
        byte[] yaml = resource(source).orElseThrow(() -> new IllegalStateException(source + " is missing"));
        Faults faults = new Faults();
        Schema schema = new Schema(Facts.class);
        Layers layers = new Layers(schema, faults);
        YamlReader.file(yaml, source, faults).ifPresent(layers::add);
        Map<String, Object> values = layers.values(Place.of(source));
        faults.throwIfAny();
        return new KnownWeights(
                (Facts) schema.build(values),
                resource("weights/" + name + ".sha256").map(Catalogues::digests).orElse(Map.of()));
    }

    private static Optional<byte[]> resource(String name) {
        try (InputStream in = KnownWeights.class.getResourceAsStream("/" + name)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + name, e);
        }
    }
}
