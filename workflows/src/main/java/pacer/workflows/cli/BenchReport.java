package pacer.workflows.cli;

import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Environment;
import pacer.activities.run.RunJson;

/**
 * A result with what one must know to believe it.
 *
 * @param time of its end, UTC
 * @param command as it was given, without folders
 */
record BenchReport(Instant time, BenchMachine machine, String command, String headline, BenchResult result) {

    /**
     * The machine; not its name, which says nothing to others.
     *
     * @param load processes that wanted to run in the minute before; negative where the system does not tell
     */
    record BenchMachine(
            String cpu, int cores, long memoryBytes, String os, String jvm, String pacer, String commit, double load) {

        /** This machine as it is now. */
        static BenchMachine now(Environment e) {
            double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
            return new BenchMachine(
                    e.cpu(),
                    e.cores(),
                    e.memoryBytes(),
                    e.os(),
                    e.jvm(),
                    e.pacer(),
                    e.commit() == null ? null : e.commit() + (e.dirty() ? "-dirty" : ""),
                    Math.round(100 * load) / 100.0);
        }

        /** Whether others worked on it too. */
        boolean busy() {
            return load > 0.5 * cores;
        }

        private String hardware() {
            return slug(cpu.replaceAll("\\((R|TM|r|tm)\\)|@.*|CPU|Processor|[0-9]+-Core", " ")) + "-" + cores
                    + "-cores";
        }
    }

    BenchReport(Instant time, BenchMachine machine, String command, BenchResult result) {
        this(time.truncatedTo(ChronoUnit.SECONDS), machine, withoutPlaces(command), result.headline(), result);
    }

    /** {@code text} with absolute paths cut down to file names: they say nothing to others. */
    static String withoutPlaces(String text) {
        return text.replaceAll("(^|[\\s=:])/(?:[^/\\s]+/)*([^/\\s]+)", "$1$2");
    }

    /** Name of its files: what, on what, when. */
    String fileName() {
        return slug(result.name()) + "_" + machine.hardware() + "_" + LocalDate.ofInstant(time, ZoneOffset.UTC);
    }

    private static String slug(String text) {
        return text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
    }

    /** Writes it as Markdown and JSON to {@code folder}, beside what is there; the Markdown file. */
    Path save(Path folder) throws IOException {
        Files.createDirectories(folder);
        String base = fileName();
        for (int more = 2;
                Files.exists(folder.resolve(base + ".md")) || Files.exists(folder.resolve(base + ".json"));
                more++) {
            base = fileName() + "-" + more;
        }
        Path page = folder.resolve(base + ".md");
        Files.writeString(
                folder.resolve(base + ".json"),
                RunJson.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsString(this) + "\n",
                StandardCharsets.UTF_8);
        return Files.writeString(page, markdown(base + ".json"), StandardCharsets.UTF_8);
    }

    /** @param raw name of the file with the raw results */
    String markdown(String raw) {
        List<String> lines = new ArrayList<>();
        lines.add("# " + headline);
        lines.add("");
        facts().forEach(fact -> lines.add("- " + fact));
        for (BenchTable table : result.tables()) {
            lines.add("");
            lines.addAll(table.markdown());
        }
        lines.add("");
        result.remarks().forEach(remark -> lines.add("- " + remark));
        lines.add("- raw results: [" + raw + "](" + raw + ")");
        return String.join("\n", lines) + "\n";
    }

    /** When, where, with what. */
    List<String> facts() {
        List<String> facts = new ArrayList<>();
        facts.add("measured " + time + " with `" + command + "`");
        facts.add("machine: %s, %d %s, %s of memory, %s"
                .formatted(
                        machine.cpu(),
                        machine.cores(),
                        machine.cores() == 1 ? "core" : "cores",
                        Quantities.bytes(machine.memoryBytes()),
                        machine.os()));
        facts.add("pacer %s%s, %s"
                .formatted(
                        machine.pacer(), machine.commit() == null ? "" : " (" + machine.commit() + ")", machine.jvm()));
        if (machine.load() >= 0) {
            facts.add(String.format(Locale.ROOT, "load when it began: %.2f", machine.load())
                    + (machine.busy() ? "; others worked on this machine: times do not hold, ratios roughly" : ""));
        }
        return facts;
    }

    void print(Terminal terminal) {
        terminal.println("");
        terminal.println(terminal.paint(Tone.STRONG, headline));
        for (BenchTable table : result.tables()) {
            terminal.println("");
            table.print(terminal);
        }
        terminal.println("");
        facts().forEach(fact -> terminal.println(terminal.paint(Tone.QUIET, fact)));
        result.remarks().forEach(remark -> terminal.println(terminal.paint(Tone.QUIET, remark)));
    }
}
