package pacer.activities.sweep;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One choice of settings.
 *
 * @param settings over the preset's, as they were written
 * @param steps that its runs train
 */
public record SweepPoint(Map<String, String> settings, int steps) {

    public SweepPoint {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /** {@code optimizer.learningRate=1e-3 train.steps=60}; the preset itself where nothing varies. */
    public String label() {
        return settings.isEmpty()
                ? "as it is"
                : settings.entrySet().stream()
                        .map(s -> s.getKey() + "=" + s.getValue())
                        .collect(Collectors.joining(" "));
    }

    /** {@code learningRate 1e-3, steps 60}: settings by the last part of their names, as far as that tells them apart among {@code all}. */
    public String brief(List<SweepPoint> all) {
        if (settings.isEmpty()) {
            return label();
        }
        Map<String, Long> names = all.stream()
                .flatMap(point -> point.settings.keySet().stream())
                .distinct()
                .collect(Collectors.groupingBy(SweepPoint::last, Collectors.counting()));
        return settings.entrySet().stream()
                .map(s -> (names.get(last(s.getKey())) > 1 ? s.getKey() : last(s.getKey())) + " " + s.getValue())
                .collect(Collectors.joining(", "));
    }

    private static String last(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }
}
