package pacer.trainer.spec;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.StreamEndEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads one YAML 1.2 document into {@link YamlNode}s. Of YAML only mappings, sequences and scalars are taken: tags, anchors,
 * aliases, directives and further documents are faults. It reads the parser's events, one at a time and nothing expanded, so
 * that neither deep nesting nor an anchor bomb costs more than the lines up to it.
 */
final class YamlReader {

    static final int MAX_BYTES = 1 << 20;

    private static final int MAX_DEPTH = 16;

    private final String source;
    private final boolean lines;
    private final Faults faults;
    private final Iterator<Event> events;

    private YamlReader(String text, String source, boolean lines, Faults faults) {
        this.source = source;
        this.lines = lines;
        this.faults = faults;
        LoadSettings settings = LoadSettings.builder()
                .setLabel(source)
                .setUseMarks(true)
                .setCodePointLimit(MAX_BYTES)
                // room for all: the parser fails on a character of two chars that a buffer's end cuts
                .setBufferSize(text.length() + 2)
                .build();
        this.events = new Parse(settings).parseString(text).iterator();
    }

    /** The document in {@code bytes}; empty, with faults added, when there is none that can be read. */
    static Optional<YamlNode> file(byte[] bytes, String source, Faults faults) {
        if (bytes.length > MAX_BYTES) {
            faults.add(Place.of(source), "", "over 1 MiB, the most a settings file may have; is it the right file?");
            return Optional.empty();
        }
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            faults.add(Place.of(source), "", "not UTF-8; save it as UTF-8");
            return Optional.empty();
        }
        if (text.startsWith("\uFEFF")) {
            faults.add(new Place(source, 1, 1), "", "begins with a byte-order mark; save it as UTF-8 without BOM");
            return Optional.empty();
        }
        return new YamlReader(text, source, true, faults).document("");
    }

    /** The value of {@code --set path=value}; faults name {@code source} without a line. */
    static Optional<YamlNode> value(String text, String path, String source, Faults faults) {
        return new YamlReader(text, source, false, faults).document(path);
    }

    private Optional<YamlNode> document(String path) {
        try {
            events.next(); // start of the stream
            Event first = events.next();
            if (!(first instanceof DocumentStartEvent start)) {
                faults.add(Place.of(source), "", "is empty; give settings, for example model: {layers: 4}");
                return Optional.empty();
            }
            if (start.getSpecVersion().isPresent() || !start.getTags().isEmpty()) {
                faults.add(place(start.getStartMark()), "", "a % directive, not taken here; delete it");
            }
            YamlNode root = node(events.next(), path, 0);
            events.next(); // end of the document
            Event after = events.next();
            if (!(after instanceof StreamEndEvent)) {
                faults.add(
                        place(after.getStartMark()),
                        "",
                        "a second document, one is taken; put it into a file of its own");
            }
            return Optional.of(root);
        } catch (TooDeep e) {
            faults.add(e.place, "", "nested over %d deep, settings nest two deep; flatten it".formatted(MAX_DEPTH));
        } catch (MarkedYamlEngineException e) {
            faults.add(place(e.getProblemMark()), "", "not YAML, " + syntax(e));
        } catch (ReaderException e) {
            faults.add(
                    Place.of(source),
                    "",
                    "holds the character U+%04X at position %d, not allowed in YAML; delete it"
                            .formatted(e.getCodePoint(), e.getPosition()));
        } catch (YamlEngineException e) {
            faults.add(Place.of(source), "", "not YAML, " + Fault.shown(String.valueOf(e.getMessage())));
        }
        return Optional.empty();
    }

    private YamlNode node(Event event, String path, int depth) {
        Place place = place(event.getStartMark());
        if (depth > MAX_DEPTH) {
            throw new TooDeep(place);
        }
        if (event instanceof AliasEvent alias) {
            faults.add(
                    place,
                    path,
                    "*%s, aliases are not taken; write the value out"
                            .formatted(alias.getAlias().getValue()));
            return new YamlNode.Refused(place);
        }
        if (event instanceof NodeEvent named && named.getAnchor().isPresent()) {
            faults.add(
                    place,
                    path,
                    "&%s, anchors are not taken; delete it"
                            .formatted(named.getAnchor().get().getValue()));
        }
        return switch (event) {
            case ScalarEvent scalar -> {
                boolean tagged = tagged(scalar.getTag(), place, path);
                yield tagged
                        ? new YamlNode.Refused(place)
                        : new YamlNode.Scalar(scalar.getValue(), scalar.isPlain(), place);
            }
            case CollectionStartEvent start -> {
                tagged(start.getTag(), place, path);
                yield start instanceof MappingStartEvent ? mapping(place, path, depth) : sequence(place, path, depth);
            }
            default -> throw new IllegalStateException("unexpected YAML event " + event);
        };
    }

    private boolean tagged(Optional<String> tag, Place place, String path) {
        tag.ifPresent(name ->
                faults.add(place, path, "%s, tags are not taken; delete it".formatted(Fault.shown("!<" + name + ">"))));
        return tag.isPresent();
    }

    private YamlNode sequence(Place place, String path, int depth) {
        List<YamlNode> items = new ArrayList<>();
        for (Event next = events.next(); next.getEventId() != Event.ID.SequenceEnd; next = events.next()) {
            items.add(node(next, path, depth + 1));
        }
        return new YamlNode.Sequence(List.copyOf(items), place);
    }

    private YamlNode mapping(Place place, String path, int depth) {
        List<YamlNode.Entry> entries = new ArrayList<>();
        Map<String, Place> seen = new HashMap<>();
        for (Event next = events.next(); next.getEventId() != Event.ID.MappingEnd; next = events.next()) {
            YamlNode key = node(next, path, depth + 1);
            String child = key instanceof YamlNode.Scalar(String name, boolean _, Place _) ? child(path, name) : path;
            YamlNode value = node(events.next(), child, depth + 1);
            if (key instanceof YamlNode.Scalar(String name, boolean _, Place at)) {
                Place earlier = seen.putIfAbsent(name, at);
                if (earlier == null) {
                    entries.add(new YamlNode.Entry(name, at, value));
                } else {
                    String before = earlier.line() == 0 ? "before" : "in line " + earlier.line();
                    faults.add(at, child, "given already %s; keep one".formatted(before));
                }
            } else if (!(key instanceof YamlNode.Refused)) {
                faults.add(key.place(), path, "a key must be a plain name; write name: value");
            }
        }
        return new YamlNode.Mapping(List.copyOf(entries), place);
    }

    /** The path of {@code key} in the section {@code path}; fit for a message whatever the key holds. */
    static String child(String path, String key) {
        return (path.isEmpty() ? "" : path + ".") + Fault.shown(key);
    }

    private Place place(Optional<Mark> mark) {
        return lines && mark.isPresent()
                ? new Place(source, mark.get().getLine() + 1, mark.get().getColumn() + 1)
                : Place.of(source);
    }

    private static String syntax(MarkedYamlEngineException e) {
        String problem = Fault.shown(String.valueOf(e.getProblem()).replaceAll("\\. \\(.*", ""));
        String context = e.getContext() == null ? "" : " " + Fault.shown(e.getContext());
        String remedy = problem.contains("TAB")
                ? "indent with spaces"
                : "look for a missing quote or bracket, an unquoted ': ', or an indent that differs";
        return problem + context + "; " + remedy;
    }

    private static final class TooDeep extends RuntimeException {
        private final transient Place place;

        TooDeep(Place place) {
            super(null, null, false, false);
            this.place = place;
        }
    }
}
