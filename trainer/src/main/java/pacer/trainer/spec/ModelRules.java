package pacer.trainer.spec;

import pacer.trainer.spec.AttentionSpec.Values;
import pacer.trainer.spec.ModelSpec.Norm;

/** What the switches of a model must fulfil together. */
record ModelRules(ModelSpec model, Require require) {
    private static final int ENDS = 2 * Values.ENDS; // layers that take a table

    /** Says that a rule is broken, how to mend it, and which settings are in it. */
    @FunctionalInterface
    interface Require {
        void that(boolean holds, String rule, String remedy, String... paths);
    }

    void check() {
        positions();
        values();
        windows();
        streams();
    }

    private void positions() {
        AttentionSpec attention = model.attention();
        int unit =
                switch (attention.positions()) {
                    case LEARNED -> 1;
                    case ROTARY -> 2;
                    case ROTARY_HALF -> 4;
                };
        require.that(
                model.headWidth() % unit == 0,
                "heads of width %d (model.width / model.heads) must be a multiple of %d for positions %s"
                        .formatted(model.headWidth(), unit, Setting.text(attention.positions())),
                "give a width of which that holds",
                "model.attention.positions",
                "model.width",
                "model.heads");
        require.that(
                attention.leftOut() < model.layers(),
                "model.attention.leftOut (%d) must be one of %d layers, counted from 0"
                        .formatted(attention.leftOut(), model.layers()),
                "give -1 to leave none out",
                "model.attention.leftOut",
                "model.layers");
        require.that(
                model.vocabulary() == 0 || attention.documentToken() < model.vocabulary(),
                "model.attention.documentToken (%d) must be one of %d tokens"
                        .formatted(attention.documentToken(), model.vocabulary()),
                "give -1 to tell no documents apart",
                "model.attention.documentToken",
                "model.vocabulary");
    }

    private void values() {
        Values values = model.attention().values();
        require.that(
                values != Values.TABLES_MIRRORED || model.layers() % 2 == 0,
                "model.layers (%d) must be even for values tables_mirrored".formatted(model.layers()),
                "give %d layers".formatted(model.layers() + 1),
                "model.attention.values",
                "model.layers");
        require.that(
                values != Values.TABLES_ENDS || model.layers() >= ENDS,
                "model.layers (%d) must be at least %d for values tables_ends".formatted(model.layers(), ENDS),
                "give %d layers, or values tables_mirrored".formatted(ENDS),
                "model.attention.values",
                "model.layers");
        require.that(
                values != Values.FIRST_LAYER || model.attention().leftOut() != 0,
                "layer 0 must have attention for values first_layer",
                "leave out another layer",
                "model.attention.leftOut",
                "model.attention.values");
        require.that(
                values != Values.TABLES_EACH || model.attention().leftOut() < 0,
                "the layer without attention would have a table that nothing takes",
                "give values tables_mirrored, or leave no layer out",
                "model.attention.leftOut",
                "model.attention.values");
        require.that(
                model.attention().valueScale() == 1 || values == Values.PLAIN,
                "values that are mixed have factors of their own, and no valueScale",
                "give valueScale 1",
                "model.attention.valueScale",
                "model.attention.values");
    }

    private void windows() {
        AttentionSpec attention = model.attention();
        require.that(
                attention.windowStart() == 0 || attention.window() > 0,
                "model.attention.windowStart (%d) is that of a window, and model.attention.window is 0"
                        .formatted(attention.windowStart()),
                "give the window at the end as well",
                "model.attention.windowStart",
                "model.attention.window");
        int least = attention.windowStart() == 0
                ? attention.window()
                : Math.min(attention.window(), attention.windowStart());
        require.that(
                attention.window() == 0 || attention.windowStep() <= least,
                "model.attention.windowStep (%d) must not be over the smallest window (%d)"
                        .formatted(attention.windowStep(), least),
                "give at most %d".formatted(least),
                "model.attention.windowStep",
                "model.attention.window",
                "model.attention.windowStart");
    }

    private void streams() {
        require.that(
                !model.stream().skips() || model.layers() % 2 == 0,
                "model.layers (%d) must be even, as each layer of the first half skips to one of the second"
                        .formatted(model.layers()),
                "give %d layers".formatted(model.layers() + 1),
                "model.stream.skips",
                "model.layers");
        require.that(
                !model.embeddingNorm() || model.norm() == Norm.RMS_NORM,
                "the embedding's norm has no gains: model.norm must be rms_norm",
                "give model.norm rms_norm",
                "model.embeddingNorm",
                "model.norm");
    }
}
