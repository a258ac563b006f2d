package pacer.trainer.spec;

import java.util.Optional;
import java.util.regex.Pattern;
import pacer.trainer.spec.DatasetSpec.Tokenizer;

/** What settings must fulfil beyond their own type and range, most of it together. */
final class Rules {

    /** Tokens of GPT-2's byte-pair encoding; Radford et al. 2019. */
    static final int GPT2_VOCABULARY = 50257;

    /** Flat tensors are counted by ints, and each parameter may be followed by a gap of less than a cache line. */
    private static final long MOST_PARAMETERS = 2_000_000_000;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9-]{0,62}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-fA-F]{64}");

    private final RunSpec spec;
    private final Layers layers;
    private final Place base;
    private final Faults faults;

    Rules(RunSpec spec, Layers layers, Place base, Faults faults) {
        this.spec = spec;
        this.layers = layers;
        this.base = base;
        this.faults = faults;
    }

    void check() {
        identity();
        dataset();
        model();
        new WeightsRules(spec, this::require).check();
        batches();
        optimizer();
        schedule();
        evaluation();
        new HellaSwagRules(spec, this::require).check();
        sample();
    }

    private void identity() {
        require(
                NAME.matcher(spec.name()).matches(),
                "must be 1 to 63 letters, digits and dashes, not a dash first",
                "rename it",
                "name");
        require(oneLine(spec.description()), "must be one line", "delete the line break", "description");
        require(
                oneLine(spec.expectation().source()),
                "must be one line",
                "delete the line break",
                "expectation.source");
    }

    private static boolean oneLine(String text) {
        return text.chars().noneMatch(c -> c < ' ');
    }

    private void dataset() {
        DatasetSpec dataset = spec.dataset();
        DatasetUrl.fault(dataset.url()).ifPresent(fault -> {
            String[] parts = fault.split("; ", 2);
            require(false, parts[0], parts[1], "dataset.url");
        });
        boolean digest = SHA256.matcher(dataset.sha256()).matches();
        require(
                digest || dataset.sha256().isEmpty(),
                "must be 64 hex digits, has %d characters"
                        .formatted(dataset.sha256().length()),
                "copy what sha256sum prints",
                "dataset.sha256");
        require(
                !dataset.url().startsWith("https:") || !dataset.sha256().isEmpty(),
                "dataset.sha256 must be given for https, so that every run has the same text",
                "download it once and give what sha256sum prints",
                "dataset.url",
                "dataset.sha256");
        require(
                dataset.validationFraction() > 0,
                "must leave a part to measure validation loss on",
                "give for example 0.1",
                "dataset.validationFraction");
        for (String home : dataset.mirrorList()) {
            Optional<String> wrong = dataset.ready() ? DatasetUrl.homeFault(home) : DatasetUrl.mirrorFault(home);
            wrong.ifPresent(fault -> {
                String[] parts = fault.split("; ", 2);
                require(false, parts[0], parts[1], "dataset.mirrors");
            });
        }
        Optional<Catalogue> catalogue = dataset.ready() ? Catalogues.find(dataset.catalogue()) : Optional.empty();
        catalogue.ifPresentOrElse(this::ready, this::text);
    }

    private void text() {
        DatasetSpec dataset = spec.dataset();
        String remedy = "give dataset.url catalogue:NAME, or delete it";
        require(dataset.shards() == 0, "counts shards of a catalogue", remedy, "dataset.shards", "dataset.url");
        require(
                dataset.mirrors().isBlank() || dataset.url().startsWith("https:"),
                "are of a catalogue or of an https file",
                remedy + ", or give dataset.url https://HOST/PATH",
                "dataset.mirrors",
                "dataset.url");
    }

    private void ready(Catalogue catalogue) {
        DatasetSpec dataset = spec.dataset();
        int all = catalogue.facts().trainShards();
        require(
                dataset.sha256().isEmpty(),
                "dataset.sha256 must be empty, as the shards of a catalogue have digests of their own",
                "give dataset.sha256 ''",
                "dataset.sha256",
                "dataset.url");
        Tokenizer tokenizer = catalogue.facts().tokenizer();
        require(
                dataset.tokenizer() == tokenizer,
                "dataset.tokenizer must be the one that made the shards of catalogue " + catalogue.name(),
                "give dataset.tokenizer " + Setting.text(tokenizer),
                "dataset.tokenizer",
                "dataset.url");
        require(
                dataset.shards() <= all,
                "catalogue %s has %d training shards".formatted(catalogue.name(), all),
                "give 1 to %d, or 0 for all".formatted(all),
                "dataset.shards",
                "dataset.url");
        require(
                !catalogue.homes().isEmpty() || !dataset.mirrors().isBlank(),
                "no public home of catalogue %s is known".formatted(catalogue.name()),
                "give dataset.mirrors, the folder that has its files: file:FOLDER or https://HOST/FOLDER/",
                "dataset.mirrors",
                "dataset.url");
    }

    private void model() {
        ModelSpec model = spec.model();
        int below = model.heads();
        while (model.width() % below != 0) {
            below--;
        }
        require(
                model.width() % model.heads() == 0,
                "model.heads (%d) must divide model.width (%d)".formatted(model.heads(), model.width()),
                "give heads %d or width %d".formatted(below, roundUp(model.width(), model.heads())),
                "model.heads",
                "model.width");
        require(
                model.vocabulary() == 0
                        || spec.dataset().tokenizer() != Tokenizer.GPT2
                        || model.vocabulary() >= GPT2_VOCABULARY,
                "must hold the %d tokens of dataset.tokenizer gpt2".formatted(GPT2_VOCABULARY),
                "give 0 to take the dataset's, or 50304 to pad it",
                "model.vocabulary",
                "dataset.tokenizer");
        new ModelRules(model, this::require).check();
        long parameters = model.parameters();
        require(
                parameters <= MOST_PARAMETERS,
                "makes %d parameters; at most %d are held in one piece".formatted(parameters, MOST_PARAMETERS),
                "lower model.width, model.layers or model.vocabulary",
                "model.width",
                "model.layers",
                "model.vocabulary");
    }

    private void batches() {
        TrainSpec train = spec.train();
        int length = spec.model().sequenceLength();
        long unit = (long) length * train.ranks();
        boolean whole = train.batchTokens() % unit == 0;
        long below = train.batchTokens() / unit * unit;
        require(
                train.ranks() % train.hosts() == 0,
                "train.ranks (%d) must be a multiple of train.hosts (%d), as each host has as many"
                        .formatted(train.ranks(), train.hosts()),
                "give ranks " + Math.ceilDiv(train.ranks(), train.hosts()) * train.hosts(),
                "train.ranks",
                "train.hosts");
        require(
                whole,
                "train.batchTokens (%d) must be a multiple of model.sequenceLength × train.ranks (%d × %d = %d)"
                        .formatted(train.batchTokens(), length, train.ranks(), unit),
                "give batchTokens " + (below == 0 ? "" : below + " or ") + (below + unit),
                "train.batchTokens",
                "model.sequenceLength",
                "train.ranks");
        if (!whole) {
            return;
        }
        long sequences = train.batchTokens() / unit;
        long micro = Math.min(train.microBatch(), sequences);
        long divisor = micro;
        while (sequences % divisor != 0) {
            divisor--;
        }
        require(
                sequences % micro == 0,
                "train.microBatch (%d) must divide the sequences a rank takes a step (%d tokens / %d / %d ranks = %d)"
                        .formatted(train.microBatch(), train.batchTokens(), length, train.ranks(), sequences),
                "give microBatch %d or %d".formatted(divisor, sequences),
                "train.microBatch",
                "train.batchTokens",
                "model.sequenceLength",
                "train.ranks");
    }

    private void optimizer() {
        require(spec.optimizer().beta1() < 1, "must be less than 1", "give for example 0.9", "optimizer.beta1");
        require(spec.optimizer().beta2() < 1, "must be less than 1", "give for example 0.95", "optimizer.beta2");
        require(spec.optimizer().momentum() < 1, "must be less than 1", "give for example 0.95", "optimizer.momentum");
        require(
                spec.optimizer().momentumStart() < 1,
                "must be less than 1",
                "give for example 0.85",
                "optimizer.momentumStart");
        boolean groups = spec.optimizer().embeddingRate() > 0
                || spec.optimizer().headRate() > 0
                || spec.optimizer().scalarRate() > 0;
        require(
                !groups || spec.optimizer().learningRate() > 0,
                "must be above 0 where a group has a rate of its own, which keeps its proportion to it",
                "give the rate of matrices",
                "optimizer.learningRate");
    }

    private void schedule() {
        ScheduleSpec schedule = spec.schedule();
        require(
                schedule.decaySteps() == 0 || schedule.warmupSteps() <= schedule.decaySteps(),
                "schedule.warmupSteps (%d) must not be over schedule.decaySteps (%d)"
                        .formatted(schedule.warmupSteps(), schedule.decaySteps()),
                "warm up for fewer steps, or give decaySteps 0 to take train.steps",
                "schedule.warmupSteps",
                "schedule.decaySteps");
        int end = schedule.decaySteps() == 0 ? spec.train().steps() : schedule.decaySteps();
        require(
                schedule.cooldownSteps() == 0 || schedule.cooldownSteps() + (long) schedule.warmupSteps() <= end,
                "schedule.cooldownSteps (%d) and schedule.warmupSteps (%d) must not be over the %d steps of the schedule"
                        .formatted(schedule.cooldownSteps(), schedule.warmupSteps(), end),
                "give fewer, or cooldownSteps 0 to take cooldown, a part of the steps",
                "schedule.cooldownSteps",
                "schedule.warmupSteps",
                "schedule.decaySteps",
                "train.steps");
    }

    private void evaluation() {
        long tokens = spec.evaluation().tokens();
        int length = spec.model().sequenceLength();
        require(
                tokens == 0 || tokens >= length,
                "evaluation.tokens (%d) must hold at least one sequence of model.sequenceLength (%d)"
                        .formatted(tokens, length),
                "give %d or more, or 0 for all".formatted(length),
                "evaluation.tokens",
                "model.sequenceLength");
    }

    private void sample() {
        require(
                !spec.sample().prompt().isEmpty(),
                "must have at least one character to continue",
                "give for example \"\\n\"",
                "sample.prompt");
    }

    /** A rule over the settings {@code paths}; says nothing where one of them was faulted already. */
    private void require(boolean holds, String rule, String remedy, String... paths) {
        if (!holds && layers.sound(paths)) {
            String path = layers.latest(paths);
            Object value = Schema.RUN.setting(path).orElseThrow().in(spec);
            String shown = Fault.shown(value instanceof String text ? '"' + text + '"' : Setting.text(value));
            faults.add(layers.placeOf(path, base), path, shown + ", " + rule + "; " + remedy);
        }
    }

    private static long roundUp(long value, long unit) {
        return (value + unit - 1) / unit * unit;
    }
}
