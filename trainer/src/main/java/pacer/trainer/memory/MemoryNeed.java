package pacer.trainer.memory;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import pacer.trainer.data.BadDataException;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecResolver;
import pacer.trainer.spec.TrainSpec;

/** Refuses a training that could only thrash. */
public final class MemoryNeed {
    /** Less than this every machine has: not worth asking. */
    private static final long LITTLE = 1L << 30;

    private MemoryNeed() {}

    /** Bytes of memory that this machine, or the container that it is, has. */
    public static long here() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    }

    /**
     * Compares with this machine's memory.
     *
     * @param spec resolved for this machine; where the vocabulary is its dataset's, which nobody knows yet, the least that it can be is taken
     * @throws BadDataException saying what takes how much, and which change would fit
     */
    public static void require(RunSpec spec) {
        RunSpec known = SpecResolver.forTokenizer(spec);
        if (atMost(known) > LITTLE) { // a plan takes a second in a process that has just begun
            requireIn(known, MemoryPlan.of(known), here());
        }
    }

    /** More bytes than a training takes, at a glance: some eight times what its streams have, and copies of its weights. */
    static long atMost(RunSpec spec) {
        ModelSpec model =
                spec.model().vocabulary() > 0 ? spec.model() : spec.model().withVocabulary(1);
        TrainSpec train = spec.train();
        double weights = 4.0 * model.parameters() * (8 + train.threads());
        double tokens = (double) Math.min(train.microBatch() * (long) model.sequenceLength(), train.batchTokens());
        double ofToken = 4.0 * (64.0 * (model.layers() + 1) * model.width() + 8.0 * model.vocabulary());
        return (long) (train.ranksPerHost() * (weights + tokens * ofToken));
    }

    static void requireIn(RunSpec spec, MemoryPlan plan, long memory) {
        if (plan.need() <= memory) {
            return;
        }
        int ranks = plan.ranksTogether();
        String least = spec.model().vocabulary() == 0 ? "at least " : "";
        String each = ranks == 1
                ? ""
                : ", each of its %d ranks (train.ranks%s) %s"
                        .formatted(ranks, plan.hosts() > 1 ? " / train.hosts" : "", gigabytes(plan.bytes()));
        Optional<Change> change =
                Changes.of(spec, plan.ranks(), MemoryPlan.cpu(spec), memory).cheapest();
        String remedy = change.map(c -> "%s would fit, with %s (%s)"
                        .formatted(
                                c.settings().stream().map(s -> "--set " + s).collect(Collectors.joining(" ")),
                                gigabytes(c.need()),
                                c.price()))
                .orElse(
                        "no smaller batch, recompute, optimizer or sequence would fit: lower model.layers or model.width"
                                + (ranks > 1 ? ", or train.ranks" : ""));
        throw new BadDataException(
                "training needs %s%s of memory, this machine has %s%s: %s for weights, gradients and moments, %s for activations and the rest; %s"
                        .formatted(
                                least,
                                gigabytes(plan.need()),
                                gigabytes(memory),
                                each,
                                gigabytes(plan.ofParameters()),
                                gigabytes(plan.bytes() - plan.ofParameters()),
                                remedy));
    }

    private static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
