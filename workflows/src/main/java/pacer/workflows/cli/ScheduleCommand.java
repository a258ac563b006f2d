package pacer.workflows.cli;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.run.Budget;
import pacer.activities.run.RunRequest;
import pacer.workflows.PipelineOptions;
import pacer.workflows.Schedules;
import pacer.workflows.SpecLayers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "schedule",
        description = {
            "Reproduce a preset again and again: create, list, pause, unpause, trigger, backfill, delete.",
            "Each time it is trained anew and compared with what it should reach and reached before.%n"
        })
final class ScheduleCommand implements Callable<Integer> {
    private static final Pattern LENGTH = Pattern.compile("([0-9]{1,6})(s|min|h|d)");
    private static final int SHOWN_LAST = 3;
    private static final DateTimeFormatter SHOWN = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

    /** What to do. */
    enum Verb {
        create,
        list,
        pause,
        unpause,
        trigger,
        backfill,
        delete
    }

    @Parameters(index = "0", arity = "0..1", paramLabel = "VERB", description = "One of those above (default: list).")
    private Verb verb = Verb.list;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "NAME",
            description = "The schedule; create nightly needs nothing more.")
    private String name;

    @Option(names = "--preset", paramLabel = "PRESET", description = "What to reproduce (default: quickstart).")
    private String preset = "quickstart";

    @Option(names = "--set", paramLabel = "PATH=VALUE", description = "A setting on top, as of run.")
    private List<String> sets = List.of();

    @Option(
            names = "--cron",
            paramLabel = "CRON",
            description = "When, five fields (default: 0 4 * * *, each night at 4).")
    private String cron;

    @Option(names = "--every", paramLabel = "TIME", description = "When instead of --cron: each 30min, 6h, 1d.")
    private String every;

    @Option(names = "--zone", paramLabel = "ZONE", description = "Time zone of --cron (default: this machine's).")
    private String zone;

    @Option(
            names = "--overlap",
            paramLabel = "POLICY",
            description =
                    "When the one before still works: skip, buffer_one, buffer_all, cancel_other (default: skip).")
    private Schedules.Overlap overlap = Schedules.Overlap.SKIP;

    @Option(
            names = "--catch-up",
            paramLabel = "TIME",
            description = "Make up for times missed no longer ago than this (default: 2h).")
    private String catchUp = "2h";

    @Option(
            names = "--jitter",
            paramLabel = "TIME",
            description = "Put each off by up to this, at random (default: 0s).")
    private String jitter = "0s";

    @Option(names = "--from", paramLabel = "TIME", description = "Of backfill: 2026-11-20 or 2026-11-20T02:00:00Z.")
    private String from;

    @Option(names = "--to", paramLabel = "TIME", description = "Of backfill (default: now).")
    private String to;

    @Mixin
    private BudgetOption budget;

    @Mixin
    private ServiceOption service;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    ScheduleCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (verb != Verb.list && (name == null || !name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}"))) {
            throw new Mistake("schedule " + verb + ": "
                    + (name == null ? "name the schedule" : "'" + name + "' is no name")
                    + ": letters, digits, '.', '_' and '-', such as nightly");
        }
        try (Schedules schedules = Schedules.at(
                new PipelineOptions(places.home(console.environment()), service.temporal(), console.environment()))) {
            switch (verb) {
                case create -> create(schedules);
                case list -> list(schedules);
                case pause -> schedules.pause(name);
                case unpause -> schedules.unpause(name);
                case trigger -> schedules.trigger(name);
                case backfill ->
                    schedules.backfill(name, time("--from", from), to == null ? Instant.now() : time("--to", to));
                case delete -> schedules.delete(name);
            }
        }
        if (verb != Verb.list && verb != Verb.create) {
            console.println(name + ": " + done());
        }
        return Exit.OK;
    }

    private String done() {
        return switch (verb) {
            case pause -> "paused; go on: " + console.program() + " schedule unpause " + name;
            case unpause -> "goes on";
            case trigger -> "started once, now";
            case backfill -> "what it missed is started, one after the other";
            case delete -> "deleted; what it started goes on";
            case create, list -> throw new IllegalStateException();
        };
    }

    private void create(Schedules schedules) throws IOException {
        if (cron != null && every != null) {
            throw new Mistake("--cron and --every: one of the two");
        }
        // faults are found now, and not at four in the night: a time that clocks never leave out or have twice
        SpecLayers layers = SpecLayers.load(preset, List.of(), sets);
        RunRequest request = layers.reproduction().within(most());
        ZoneId at = zone();
        Optional<String> expression = every == null ? Optional.of(cron == null ? "0 4 * * *" : cron) : Optional.empty();
        String when = every == null ? expression.get() + " " + at.getId() : "every " + every;
        String note = "reproduces %s, %s; overlap %s, catch-up %s, jitter %s"
                .formatted(preset, when, overlap.name().toLowerCase(Locale.ROOT), catchUp, jitter);
        schedules.create(
                name,
                request,
                new Schedules.Times(
                        expression,
                        every == null ? null : every(),
                        at,
                        overlap,
                        length("--catch-up", catchUp),
                        length("--jitter", jitter)),
                note);
        console.out().flow("schedule " + name + ": " + note, 2);
        console.println("now, once: " + console.program() + " schedule trigger " + name + "    how it stands: "
                + console.program() + " schedule");
    }

    private Budget most() {
        return budget.budget();
    }

    /** A schedule with what its last workflows came to, the newest last. */
    private record Listed(
            String name, String note, boolean paused, List<Instant> next, List<Schedules.Outcome> recent) {}

    private void list(Schedules schedules) {
        List<Listed> all = schedules.list().stream()
                .map(one -> new Listed(
                        one.name(),
                        one.note(),
                        one.paused(),
                        one.next(),
                        one
                                .recent()
                                .subList(
                                        Math.max(0, one.recent().size() - SHOWN_LAST),
                                        one.recent().size())
                                .stream()
                                .map(schedules::outcome)
                                .toList()))
                .toList();
        if (output.json()) {
            console.json(all);
            return;
        }
        if (all.isEmpty()) {
            console.println("no schedules; each night: " + console.program() + " schedule create nightly");
        }
        for (Listed one : all) {
            console.println(console.out().paint(Tone.STRONG, one.name()) + (one.paused() ? "  paused" : ""));
            console.out().flow("  " + one.note(), 2);
            if (!one.paused() && !one.next().isEmpty()) {
                console.println("  next   " + shown(one.next().getFirst()));
            }
            for (Schedules.Outcome outcome : one.recent().reversed()) {
                console.out().flow("  due    " + shown(outcome.scheduled()) + "  " + said(outcome), 9);
            }
        }
    }

    private String said(Schedules.Outcome outcome) {
        String id = outcome.workflow();
        String why = outcome.verdict() == null ? "" : ": " + Terminal.harmless(outcome.verdict());
        String at = outcome.ended() == null ? "" : ", " + shown(outcome.ended());
        return switch (outcome.status()) {
            case null -> id + "  no longer known to the service";
            case "RUNNING" -> console.out().paint(Tone.WARN, "●") + " " + id + "  at work";
            case "COMPLETED" -> console.out().paint(Tone.GOOD, "✓") + " " + id + at + why;
            case "FAILED" -> console.out().paint(Tone.BAD, "✗") + " " + id + at + why;
            default ->
                console.out().paint(Tone.WARN, "●") + " " + id + "  "
                        + outcome.status().toLowerCase(Locale.ROOT).replace('_', ' ') + at + why;
        };
    }

    private static String shown(Instant time) {
        return SHOWN.format(time.truncatedTo(ChronoUnit.SECONDS).atZone(ZoneId.systemDefault()));
    }

    private ZoneId zone() {
        try {
            ZoneId at = zone == null ? ZoneId.systemDefault() : ZoneId.of(zone);
            if (zone != null && !ZoneId.getAvailableZoneIds().contains(at.getId())) {
                throw new DateTimeException("an offset without a place");
            }
            return at;
        } catch (DateTimeException e) {
            throw new Mistake(
                    "--zone " + zone + ": no time zone that has a name; give one such as Europe/Berlin or UTC");
        }
    }

    private Duration every() {
        Duration each = length("--every", every);
        if (each.isZero()) {
            throw new Mistake("--every " + every + ": must be more than nothing");
        }
        return each;
    }

    private static Duration length(String option, String text) {
        Matcher parts = LENGTH.matcher(text);
        if (!parts.matches()) {
            throw new Mistake(option + " " + text
                    + ": must be a time such as 90s, 30min, 6h or 1d, its number of six digits at most");
        }
        long number = Long.parseLong(parts.group(1));
        return switch (parts.group(2)) {
            case "s" -> Duration.ofSeconds(number);
            case "min" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            default -> Duration.ofDays(number);
        };
    }

    private static Instant time(String option, String text) {
        if (text == null) {
            throw new Mistake("schedule backfill: " + option + " is missing, such as " + option + " 2026-11-20");
        }
        try {
            return text.length() == 10
                    ? LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant()
                    : Instant.parse(text);
        } catch (DateTimeException e) {
            throw new Mistake(
                    option + " " + text + ": must be a day such as 2026-11-20 or a time such as 2026-11-20T02:00:00Z");
        }
    }
}
