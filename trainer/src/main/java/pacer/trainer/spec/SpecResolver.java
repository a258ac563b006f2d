package pacer.trainer.spec;

import java.util.List;
import pacer.trainer.spec.DatasetSpec.Tokenizer;

/**
 * Fills in what a specification leaves to the machine and the dataset. A resolved specification has no zeros that stand for
 * something else: it says what runs, and its {@linkplain SpecHash hash} fixes the bits. Resolving it again changes nothing.
 */
public final class SpecResolver {

    private SpecResolver() {}

    /**
     * {@code spec} with threads, precision, decay steps, micro-batch and vocabulary filled in.
     *
     * @param processor of the machine that trains
     * @param vocabulary tokens that the dataset's tokenizer knows
     * @throws SpecException when the model's vocabulary is too small for the dataset's
     */
    public static RunSpec resolve(RunSpec spec, Processor processor, int vocabulary) {
        return forDataset(forMachine(spec, processor), vocabulary);
    }

    /**
     * {@code spec} with what needs no dataset: threads a rank (cores / ranks of a host, at least 1), precision, decay steps (train.steps, or
     * the end of warmup if that is later), and the micro-batch no larger than a rank's sequences.
     */
    public static RunSpec forMachine(RunSpec spec, Processor processor) {
        TrainSpec train = spec.train();
        int sequences = train.batchTokens() / spec.model().sequenceLength() / train.ranks();
        int threads = train.threads() > 0 ? train.threads() : Math.max(1, processor.cores() / train.ranksPerHost());
        ScheduleSpec schedule = spec.schedule();
        int decay = schedule.decaySteps() > 0 ? schedule.decaySteps() : Math.max(train.steps(), schedule.warmupSteps());
        return spec.with(
                spec.model(),
                new TrainSpec(
                        train.steps(),
                        train.batchTokens(),
                        Math.min(train.microBatch(), sequences),
                        train.gradientClip(),
                        train.precision().on(processor),
                        train.loader(),
                        train.nonFinite(),
                        train.maxSkippedInARow(),
                        train.ranks(),
                        threads,
                        train.outlierLoss(),
                        train.outlierGradient(),
                        train.recompute(),
                        train.zeroStage(),
                        train.hosts()),
                new ScheduleSpec(
                        schedule.type(),
                        schedule.warmupSteps(),
                        decay,
                        schedule.floor(),
                        schedule.cooldown(),
                        schedule.cooldownSteps()));
    }

    /**
     * {@code spec} with the dataset's vocabulary, where the model names none of its own.
     *
     * @throws SpecException when the model's own is smaller than the dataset's
     */
    public static RunSpec forDataset(RunSpec spec, int vocabulary) {
        int own = spec.model().vocabulary();
        if (own > 0 && own < vocabulary) {
            throw new SpecException(List.of(new Fault(
                    Place.of(spec.name()),
                    "model.vocabulary",
                    "%d, must hold the dataset's %d tokens; give 0 to take the dataset's".formatted(own, vocabulary))));
        }
        int document = spec.model().attention().documentToken();
        if (own == 0 && document >= vocabulary) {
            throw new SpecException(List.of(new Fault(
                    Place.of(spec.name()),
                    "model.attention.documentToken",
                    "%d, must be one of the dataset's %d tokens; give -1 to tell no documents apart"
                            .formatted(document, vocabulary))));
        }
        return own > 0 ? spec : spec.with(spec.model().withVocabulary(vocabulary), spec.train(), spec.schedule());
    }

    /**
     * {@code spec} with its vocabulary where the tokenizer alone says it, as GPT-2's does; that of characters is known when the dataset is.
     *
     * @throws SpecException when the model's own is smaller
     */
    public static RunSpec forTokenizer(RunSpec spec) {
        return spec.dataset().tokenizer() == Tokenizer.GPT2 ? forDataset(spec, Rules.GPT2_VOCABULARY) : spec;
    }
}
