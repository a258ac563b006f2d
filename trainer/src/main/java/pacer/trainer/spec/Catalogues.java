package pacer.trainer.spec;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The catalogues of ready token shards that come with pacer: {@code resources/catalogues/*.yaml}. */
public final class Catalogues {

    /** Names, as {@code dataset.url: catalogue:NAME} takes them. */
    public static final List<String> NAMES = List.of("fineweb10B", "finewebedu10B", "fineweb100B", "openwebtext");

    private Catalogues() {}

    /** The catalogue of that name; empty when there is none. */
    public static Optional<Catalogue> find(String name) {
        return NAMES.contains(name) ? Optional.of(read(name)) : Optional.empty();
    }

    private static Catalogue read(String name) {
        String source = "catalogues/" + name + ".yaml";
        byte[] yaml = resource(source).orElseThrow(() -> new IllegalStateException(source + " is missing"));
        Optional<byte[]> digests = resource("catalogues/" + name + ".sha256");
        return new Catalogue(
                facts(yaml, source), digests.map(Catalogues::digests).orElse(Map.of()));
    }

    /** Binds a catalogue's YAML as strictly as settings are. */
    static Catalogue.Facts facts(byte[] yaml, String source) {
        Faults faults = new Faults();
        Schema schema = new Schema(Catalogue.Facts.class);
        Layers layers = new Layers(schema, faults);
        YamlReader.file(yaml, source, faults).ifPresent(layers::add);
        Map<String, Object> values = layers.values(Place.of(source));
        faults.throwIfAny();
        return (Catalogue.Facts) schema.build(values);
    }

    /** Lines as sha256sum writes them. */
    static Map<String, String> digests(byte[] text) {
        Map<String, String> digests = new LinkedHashMap<>();
        new String(text, StandardCharsets.UTF_8)
                .lines()
                .map(line -> line.split(" {2}", 2))
                .forEach(parts -> digests.put(parts[1], parts[0]));
        return digests;
    }

    private static Optional<byte[]> resource(String name) {
        try (InputStream in = Catalogues.class.getResourceAsStream("/" + name)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + name, e);
        }
    }
}
