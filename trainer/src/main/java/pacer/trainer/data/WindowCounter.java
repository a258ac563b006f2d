package pacer.trainer.data;

import pacer.trainer.data.Windows.Rule;

/** Counts windows once for each length asked for in a row: nearly always one length, for the whole run. */
final class WindowCounter {
    private final TokenShards shards;
    private final Rule rule;
    private volatile Windows last;

    WindowCounter(TokenShards shards, Rule rule) {
        this.shards = shards;
        this.rule = rule;
    }

    Windows of(int length) {
        Windows known = last;
        if (known == null || known.length() != length) {
            known = new Windows(shards, length, rule);
            last = known;
        }
        return known;
    }
}
