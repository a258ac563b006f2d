package pacer.workflows.metrics;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import pacer.activities.host.HostHealth;
import pacer.activities.run.Home;
import pacer.workflows.metrics.MeterBook.Meter;

/** Writes the table of meters in {@code docs/guide.md} from the code. */
final class MeterReference {
    static final String COMMAND =
            "mvn -q -pl trainer,activities,workflows test -Dtest=MeterReferenceTest -Dsurefire.failIfNoSpecifiedTests=false -Dpacer.write=true";

    private static final String BEGIN = "<!-- Generated from the code; regenerate with: " + COMMAND + " -->\n";
    private static final String END = "<!-- end of what is generated -->\n";

    private MeterReference() {}

    static List<Meter> meters() {
        MeterBook book = new MeterBook(new PrometheusRegistry());
        Meters.register(
                book,
                new Home(Path.of("runs"), Path.of("cache")),
                OptionalLong.empty(),
                new HostHealth(),
                List::of,
                Clock.systemUTC());
        return book.meters();
    }

    /** {@code guide} with the table that the code says. */
    static String within(String guide) {
        int begin = guide.indexOf(BEGIN);
        int end = guide.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IllegalStateException("the guide has no place for the table of meters: " + BEGIN + END);
        }
        return guide.substring(0, begin + BEGIN.length()) + table() + guide.substring(end);
    }

    private static String table() {
        StringBuilder out = new StringBuilder("\n| meter | type | labels | meaning |\n|---|---|---|---|\n");
        meters().stream()
                .sorted(Comparator.comparing(Meter::name))
                .forEach(meter -> out.append("| `%s` | %s | %s | %s |\n"
                        .formatted(
                                meter.type().equals("info") ? meter.name() + "_info" : meter.name(),
                                meter.type(),
                                meter.labels().stream()
                                        .map(label -> "`" + label + "`")
                                        .collect(Collectors.joining(", ")),
                                meter.help())));
        return out.append('\n').toString();
    }
}
