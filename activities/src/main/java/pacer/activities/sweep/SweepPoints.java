package pacer.activities.sweep;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Budget;
import pacer.activities.run.SpecRequest;
import pacer.activities.run.SweepRequest;
import pacer.trainer.data.BadDataException;
import pacer.trainer.memory.MemoryNeed;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.Fault;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecException;

/** The points of a sweep, each made and proven as a run's spec is when the run is opened; all their faults come at once. */
final class SweepPoints {
    private static final String SEED = "seed";
    private static final String SAME = " is the same as ";

    private final SweepRequest request;
    private final boolean here;

    /** Faults, with the points that have them. */
    private final Map<String, List<Map<String, String>>> faults = new LinkedHashMap<>();

    private final Map<String, Map<String, String>> known = new HashMap<>();
    private RunSpec first;

    private SweepPoints(SweepRequest request, boolean here) {
        this.request = request;
        this.here = here;
    }

    /**
     * Points and what they are of.
     *
     * @param first the spec of the first point
     */
    record Settled(List<SweepPoint> points, RunSpec first) {}

    /** How many points {@code request} has, without making them; negative for more than an int has. */
    static int count(SweepRequest request) {
        long count = Math.max(1, request.rows().size());
        for (List<String> values : request.vary().values()) {
            count = Math.min(Integer.MAX_VALUE, count * values.size());
        }
        return (int) count;
    }

    /** What is wrong with how settings vary, whatever their values. */
    static List<String> shape(SweepRequest request) {
        List<String> faults = new ArrayList<>();
        Set<String> paths = new LinkedHashSet<>(request.vary().keySet());
        request.vary().forEach((path, values) -> {
            if (values.isEmpty()) {
                faults.add("vary.%s: no value; give one or more".formatted(path));
            }
            if (new HashSet<>(values).size() < values.size()) {
                faults.add("vary.%s: a value is there twice, in %s".formatted(path, String.join(", ", values)));
            }
        });
        Set<String> ofRows = new TreeSet<>();
        request.rows().forEach(row -> ofRows.addAll(row.keySet()));
        for (String path : ofRows) {
            if (!paths.add(path)) {
                faults.add("rows: %s is in vary too; vary it in one place".formatted(path));
            }
        }
        for (Map<String, String> row : request.rows()) {
            if (!row.keySet().equals(ofRows)) {
                faults.add("rows: %s lacks %s; all rows give the same settings"
                        .formatted(
                                row,
                                String.join(
                                        ", ",
                                        ofRows.stream()
                                                .filter(path -> !row.containsKey(path))
                                                .toList())));
            }
        }
        if (paths.contains(SEED)) {
            faults.add("seed: seeds do not vary like settings; say how many with seeds, the first with overrides");
        }
        return faults;
    }

    /**
     * Makes the points, in order.
     *
     * @param here whether they are trained on this machine, in whose memory they must fit
     * @throws BadInputException with all faults of all points
     */
    static Settled settle(SweepRequest request, boolean here) throws IOException {
        SweepPoints points = new SweepPoints(request, here);
        List<SweepPoint> made = new ArrayList<>();
        List<Map<String, String>> combinations = combinations(request);
        for (Map<String, String> settings : combinations) {
            RunSpec spec = points.resolve(settings);
            made.add(new SweepPoint(settings, spec == null ? 0 : spec.train().steps()));
        }
        if (!points.faults.isEmpty()) {
            throw new BadInputException(points.told(combinations));
        }
        return new Settled(made, points.first);
    }

    private static List<Map<String, String>> combinations(SweepRequest request) {
        List<Map<String, String>> all = new ArrayList<>(request.rows().isEmpty() ? List.of(Map.of()) : request.rows());
        for (Map.Entry<String, List<String>> varied : request.vary().entrySet()) {
            List<Map<String, String>> more = new ArrayList<>();
            for (Map<String, String> settings : all) {
                for (String value : varied.getValue()) {
                    Map<String, String> extended = new LinkedHashMap<>(settings);
                    extended.put(varied.getKey(), value);
                    more.add(extended);
                }
            }
            all = more;
        }
        return all;
    }

    /** Null where it cannot be made. */
    private RunSpec resolve(Map<String, String> settings) throws IOException {
        try {
            RunSpec spec = SpecRequest.resolve(request.run(settings));
            if (here) {
                MemoryNeed.require(spec);
            }
            Budget budget = request.budget();
            if (budget != null) {
                budget.require(spec.cost().dollarsPerHour());
            }
            Map<String, String> same = known.putIfAbsent(CanonicalYaml.write(spec), settings);
            if (same != null) {
                fault(words(settings) + SAME + words(same) + "; leave one out", settings);
            }
            first = first == null ? spec : first;
            return spec;
        } catch (BadInputException e) {
            if (e.getCause() instanceof SpecException spec) {
                spec.faults().forEach(fault -> fault(told(fault, settings), settings));
            } else {
                e.getMessage().lines().forEach(line -> fault(line, settings));
            }
        } catch (BadDataException e) {
            fault(e.getMessage(), settings);
        }
        return null;
    }

    private void fault(String text, Map<String, String> settings) {
        faults.computeIfAbsent(text, _ -> new ArrayList<>()).add(settings);
    }

    /** Where the value at fault is one that varies, it is said so. */
    private static String told(Fault fault, Map<String, String> settings) {
        String text = fault.toString();
        for (Map.Entry<String, String> varied : settings.entrySet()) {
            String set = "--set " + varied.getKey() + "=";
            if (fault.place().source().startsWith(set)) {
                return "--vary " + text.substring("--set ".length());
            }
        }
        return text;
    }

    /** Each fault once: those of some points with their settings, unless all have it whose value it names. */
    private String told(List<Map<String, String>> all) {
        List<String> lines = new ArrayList<>();
        faults.forEach((fault, of) -> {
            boolean clear = of.containsAll(named(fault, all)) || fault.contains(SAME);
            String more = of.size() == 1 ? "" : " and %d others".formatted(of.size() - 1);
            lines.add(clear ? fault : "with %s%s: %s".formatted(words(of.getFirst()), more, fault));
        });
        return lines.size() == 1
                ? lines.getFirst()
                : lines.size() + " faults in the sweep's settings:\n  " + String.join("\n  ", lines);
    }

    /** Those of {@code all} that have the value which {@code fault} is told of; all where it is of none that varies. */
    private static List<Map<String, String>> named(String fault, List<Map<String, String>> all) {
        List<Map<String, String>> named = all.stream()
                .filter(settings -> settings.entrySet().stream()
                        .anyMatch(s -> fault.startsWith("--vary %s=%s:".formatted(s.getKey(), s.getValue()))))
                .toList();
        return named.isEmpty() ? all : named;
    }

    private static String words(Map<String, String> settings) {
        return settings.isEmpty() ? "the preset" : new SweepPoint(settings, 0).label();
    }
}
