package pacer.workflows.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import pacer.workflows.metrics.MeterBook.Meter;

/** What is written about meters, and asked of them, is what there is. */
class MeterReferenceTest {
    private static final Path GUIDE = Path.of("..", "docs", "guide.md");
    private static final Path RULES = Path.of("..", "infra", "prometheus", "rules", "pacer.yml");
    private static final Path RULE_TESTS = Path.of("..", "infra", "prometheus", "tests", "pacer.yml");
    private static final Path DASHBOARDS = Path.of("..", "dashboards");

    /** A name; not the beginning of a regular expression, nor a recorded series. */
    private static final Pattern NAME = Pattern.compile("(?<![a-z:_])pacer_[a-z_]*[a-z](?![a-z_(])");

    @Test
    void theGuidesTableIsWhatTheCodeSays() throws IOException {
        String guide = Files.readString(GUIDE);
        if (Boolean.getBoolean("pacer.write")) {
            Files.writeString(GUIDE, MeterReference.within(guide));
        }
        assertThat(GUIDE)
                .as("docs/guide.md is stale; run: " + MeterReference.COMMAND)
                .content()
                .isEqualTo(MeterReference.within(guide));
    }

    @Test
    void dashboardsAndRulesAskForMetersThatThereAre() throws IOException {
        Set<String> known = new TreeSet<>();
        for (Meter meter : MeterReference.meters()) {
            switch (meter.type()) {
                case "info" -> known.add(meter.name() + "_info");
                case "histogram" ->
                    Stream.of("_bucket", "_sum", "_count").forEach(suffix -> known.add(meter.name() + suffix));
                default -> known.add(meter.name());
            }
        }
        List<Path> files;
        try (Stream<Path> dashboards = Files.list(DASHBOARDS)) {
            files = Stream.concat(dashboards, Stream.of(RULES)).toList();
        }
        assertThat(files).hasSizeGreaterThan(3);
        for (Path file : files) {
            assertThat(found(NAME, file)).as(file.toString()).isNotEmpty().isSubsetOf(known);
        }
    }

    @Test
    void eachAlertIsTestedAndDescribed() throws IOException {
        Set<String> alerts = found(Pattern.compile("(?<=- alert: )\\w+"), RULES);
        assertThat(alerts).hasSizeGreaterThan(10);
        assertThat(found(Pattern.compile("(?<=alertname: )\\w+"), RULE_TESTS)).isEqualTo(alerts);
        assertThat(found(Pattern.compile("(?<=\\| `)Pacer\\w+"), GUIDE)).isEqualTo(alerts);
    }

    private static Set<String> found(Pattern pattern, Path file) throws IOException {
        Set<String> all = new TreeSet<>();
        Matcher matcher = pattern.matcher(Files.readString(file));
        while (matcher.find()) {
            all.add(matcher.group());
        }
        return all;
    }
}
