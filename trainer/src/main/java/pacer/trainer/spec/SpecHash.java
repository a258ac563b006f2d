package pacer.trainer.spec;

import java.util.Optional;
import java.util.Set;
import pacer.trainer.durable.Sha256;

/** What identifies a run's numbers. */
public final class SpecHash {

    /** Settings and sections that change no loss, no weight and no sample. */
    private static final Set<String> ASIDE =
            Set.of("name", "description", "dataset.mirrors", "train.recompute", "checkpoint", "expectation", "cost");

    /** How the same training is divided over processes, threads and passes: other bits, and no other loss. */
    private static final Set<String> DIVISION =
            Set.of("train.ranks", "train.hosts", "train.threads", "train.microBatch", "train.zeroStage");

    private SpecHash() {}

    /**
     * SHA-256, 64 hex digits, over the settings that determine a run's losses, weights and samples: {@code seed},
     * {@code device}, {@code dataset}, {@code model}, {@code weights}, {@code train}, {@code optimizer}, {@code schedule}, {@code evaluation}, {@code hellaSwag} and
     * {@code sample}, as lines {@code path: value} in canonical spelling.
     *
     * <p>Not counted: {@code name}, {@code description}, {@code checkpoint}, {@code expectation}, {@code cost}, {@code dataset.mirrors}, {@code train.recompute},
     * settings that came later where they have their standard; and {@code dataset.url} where {@code dataset.sha256} says what the text is, so that a copy at hand is the same run, as {@code weights.from} with {@code weights.sha256}
     * and {@code hellaSwag.from} with {@code hellaSwag.sha256}. Take the
     * hash of a {@linkplain SpecResolver resolved} specification: threads and vocabulary count.
     */
    public static String of(RunSpec spec) {
        return of(spec, Set.of());
    }

    /**
     * The same, but for how the work is divided over ranks, hosts, threads and micro-batches: a run of an equal one can go on from its checkpoints, on
     * the same tokens, with losses that differ by rounding.
     */
    public static String ofTraining(RunSpec spec) {
        return of(spec, DIVISION);
    }

    private static String of(RunSpec spec, Set<String> left) {
        boolean pinned = !spec.dataset().sha256().isEmpty();
        boolean pinnedWeights = !spec.weights().sha256().isEmpty();
        boolean pinnedExamples = !spec.hellaSwag().sha256().isEmpty();
        StringBuilder text = new StringBuilder();
        for (Setting setting : Schema.RUN.settings()) {
            boolean aside = ASIDE.contains(setting.path())
                    || ASIDE.contains(setting.section())
                    || left.contains(setting.path());
            // a setting that came later counts where it is given, so that earlier hashes stand
            boolean silent = setting.doc().later() && setting.standard().equals(Optional.of(setting.in(spec)));
            boolean elsewhere = (pinned && setting.path().equals("dataset.url"))
                    || (pinnedWeights && setting.path().equals("weights.from"))
                    || (pinnedExamples && setting.path().equals("hellaSwag.from"));
            if (!aside && !silent && !elsewhere) {
                text.append(setting.path())
                        .append(": ")
                        .append(CanonicalYaml.scalar(setting.in(spec)))
                        .append('\n');
            }
        }
        return Sha256.of(text.toString());
    }
}
