package pacer.trainer.spec;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Lets a preset's expectation lapse where it says nothing of the run: a setting that determines the loss differs from the preset's,
 * and no layer above the preset says what to expect.
 */
final class Expectations {
    /** What {@link ExpectationSpec#source} begins with where an expectation lapsed. */
    static final String LAPSED = "no expectation: ";

    private static final Set<String> SECTIONS = Set.of("dataset", "model", "weights", "train", "optimizer", "schedule");

    /** How the same numbers are computed: other bits, no other loss. */
    private static final Set<String> ASIDE = Set.of(
            "dataset.url",
            "dataset.mirrors",
            "train.microBatch",
            "train.ranks",
            "train.hosts",
            "train.zeroStage",
            "train.recompute",
            "train.threads");

    /** They determine what is measured. */
    private static final Set<String> MEASURED = Set.of("evaluation.tokens", "evaluation.windows");

    private static final int NAMED = 3;

    private Expectations() {}

    /** {@code spec}, made of {@code layers}, with the expectation that holds for it. */
    static RunSpec settle(RunSpec spec, Layers layers) {
        ExpectationSpec expected = spec.expectation();
        boolean own =
                settings(s -> s.section().equals("expectation")).stream().anyMatch(s -> layers.isAboveBase(s.path()));
        if (own || !expected.given()) {
            return spec;
        }
        List<String> different = settings(s -> determines(spec, s)).stream()
                .filter(setting -> layers.differsFromBase(setting, setting.in(spec)))
                .map(Setting::path)
                .toList();
        if (different.isEmpty()) {
            return spec;
        }
        String names = String.join(", ", different.subList(0, Math.min(NAMED, different.size())))
                + (different.size() > NAMED ? " and others" : "");
        String source = "%s%s %s from %s's"
                .formatted(LAPSED, names, different.size() == 1 ? "differs" : "differ", layers.baseName(spec.name()));
        return spec.withExpectation(ExpectationSpec.none(source));
    }

    private static boolean determines(RunSpec spec, Setting setting) {
        boolean unpinned =
                setting.path().equals("dataset.url") && spec.dataset().sha256().isEmpty();
        if (setting.path().equals("weights.from")) {
            return spec.weights().sha256().isEmpty();
        }
        return unpinned
                || MEASURED.contains(setting.path())
                || (SECTIONS.contains(setting.section()) && !ASIDE.contains(setting.path()));
    }

    private static List<Setting> settings(Predicate<Setting> which) {
        return Schema.RUN.settings().stream().filter(which).toList();
    }
}
