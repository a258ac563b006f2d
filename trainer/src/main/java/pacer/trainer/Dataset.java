package pacer.trainer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.EvaluationLoader;
import pacer.trainer.data.RandomLoader;
import pacer.trainer.data.SequentialLoader;
import pacer.trainer.data.ShuffledLoader;
import pacer.trainer.data.Split;
import pacer.trainer.data.TokenLoader;
import pacer.trainer.data.TokenShards;
import pacer.trainer.spec.EvaluationSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.text.DatasetManifest;

/** The token shards of a run, opened: what to train on and what to validate on. */
final class Dataset implements AutoCloseable {
    private final RunSpec spec;
    private final DatasetManifest manifest;
    private final TokenShards training;
    private final TokenShards validation; // null when the dataset keeps nothing for it

    private Dataset(RunSpec spec, DatasetManifest manifest, TokenShards training, TokenShards validation) {
        this.spec = spec;
        this.manifest = manifest;
        this.training = training;
        this.validation = validation;
    }

    /**
     * Opens the dataset in {@code folder}.
     *
     * @throws BadDataException when a shard is damaged or too short for a window, or a setting asks for what is not there: found
     *     before training, not hours into it
     */
    static Dataset open(Path folder, RunSpec spec) throws IOException {
        DatasetManifest manifest = DatasetManifest.read(folder);
        int vocabulary = spec.model().vocabulary();
        int length = spec.model().sequenceLength();
        Samples.requirePrompt(spec.sample(), manifest);
        TokenShards training = TokenShards.open(manifest.files(folder, Split.TRAIN), vocabulary);
        List<Path> held = manifest.files(folder, Split.VALIDATION);
        TokenShards validation = null;
        try {
            training.requireWindow(length);
            if (!held.isEmpty()) {
                validation = TokenShards.open(held, vocabulary);
                validation.requireWindow(length);
            }
            Dataset opened = new Dataset(spec, manifest, training, validation);
            if (validation != null) {
                opened.validation(0); // refuses less than a window
            }
            return opened;
        } catch (RuntimeException e) {
            close(training, validation);
            throw e;
        }
    }

    DatasetManifest manifest() {
        return manifest;
    }

    /** Training windows in the order that the spec asks for. */
    TokenLoader training() {
        return switch (spec.train().loader()) {
            case RANDOM -> new RandomLoader(training, spec.seed());
            case SEQUENTIAL -> new SequentialLoader(training);
            case SHUFFLED -> new ShuffledLoader(training, spec.seed());
        };
    }

    boolean hasValidation() {
        return validation != null;
    }

    /** Windows to validate on at {@code step}: samples {@code first} to {@code first + windows}. */
    record ValidationWindows(TokenLoader loader, long first, long windows) {}

    /** What to tell where fewer tokens are there than are to be measured; all there are are, then. */
    Optional<String> shortfall() {
        long asked = spec.evaluation().tokens();
        return hasValidation() && spec.evaluation().windows() != EvaluationSpec.Windows.SAMPLED && asked > available()
                ? Optional.of(
                        "evaluation.tokens is %,d, but the validation data hold %,d in whole windows: all of them are measured"
                                .formatted(asked, available()))
                : Optional.empty();
    }

    private long available() {
        return new EvaluationLoader(validation, spec.model().sequenceLength(), 0, true).tokens();
    }

    ValidationWindows validation(int step) {
        int length = spec.model().sequenceLength();
        return switch (spec.evaluation().windows()) {
            case FIXED, FIRST -> {
                long asked = spec.evaluation().tokens();
                boolean spread = spec.evaluation().windows() == EvaluationSpec.Windows.FIXED;
                EvaluationLoader fixed =
                        new EvaluationLoader(validation, length, asked > available() ? 0 : asked, spread);
                yield new ValidationWindows(fixed, 0, fixed.windows());
            }
            case SAMPLED -> {
                RandomLoader random = new RandomLoader(validation, spec.seed() ^ 0x5DEECE66DL);
                long tokens = spec.evaluation().tokens() == 0
                        ? validation.tokens()
                        : spec.evaluation().tokens();
                long windows = Math.max(1, tokens / length);
                yield new ValidationWindows(random, step * windows, windows);
            }
        };
    }

    @Override
    public void close() {
        close(training, validation);
    }

    private static void close(TokenShards training, TokenShards validation) {
        training.close();
        if (validation != null) {
            validation.close();
        }
    }
}
